// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages

// Stands for `Compression.swift` as long as RPC has no compression: the cases that need it fail.

extension CallContext {
    func checkCompression(_ expected: GrpcTesting.BoolValue?) throws(RPCError) {
        if expected?.value == true { throw RPCError(.invalidArgument, "built without compression") }
    }

    func compressOnlyResponse(_ wanted: GrpcTesting.BoolValue?) {}
}

extension ResponseWriter<GrpcTesting.StreamingOutputCallResponse> {
    func write(
        _ response: GrpcTesting.StreamingOutputCallResponse,
        asAskedBy wanted: GrpcTesting.BoolValue?,
        _ context: CallContext
    ) async throws(RPCError) { try await write(response) }
}

extension InteropClient {
    private static let absence = CaseFailure("built without compression")

    func clientCompressedUnary() async throws { throw Self.absence }
    func clientCompressedStreaming() async throws { throw Self.absence }
    func serverCompressedUnary() async throws { throw Self.absence }
    func serverCompressedStreaming() async throws { throw Self.absence }
}
