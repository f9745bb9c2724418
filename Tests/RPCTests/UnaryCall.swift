// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC

extension Channel {
    /// What a generated client does, for any method.
    func unary<Request: Message, Response: Message>(
        _ method: String,
        _ request: Request,
        _ options: CallOptions,
        isIdempotent: Bool = false
    ) async throws(RPCError) -> Response {
        try response(await exchange(method, request.serialized(), options, isIdempotent: isIdempotent))
    }
}
