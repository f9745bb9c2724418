// SPDX-License-Identifier: Apache-2.0

/// A method that is served.
final class ServedMethod: Sendable {
    let run: @Sendable (CallStream, CallContext) async throws -> Void
    /// Its handlers run on the event loop.
    let isQuick: Bool
    let awaitsRequest: Bool

    init(_ method: RPCMethod, isQuick: Bool) {
        run = method.run
        awaitsRequest = method.awaitsRequest
        self.isQuick = isQuick
    }
}
