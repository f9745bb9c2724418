// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages

// All that the cases need to know of compression, on both sides.

extension CallContext {
    /// Whether the message that was read last came as the client says it should.
    func checkCompression(_ expected: GrpcTesting.BoolValue?) throws(RPCError) {
        guard let expected, expected.value != receivedCompressed else { return }
        throw RPCError(
            .invalidArgument,
            "compressed: expected \(expected.value), arrived \(receivedCompressed)"
        )
    }

    /// Decides about the response of a unary call.
    func compressOnlyResponse(_ wanted: GrpcTesting.BoolValue?) throws(RPCError) {
        if wanted?.value == true { try setCompression(.gzip) }
    }
}

extension ResponseWriter<GrpcTesting.StreamingOutputCallResponse> {
    func write(
        _ response: GrpcTesting.StreamingOutputCallResponse,
        asAskedBy wanted: GrpcTesting.BoolValue?,
        _ context: CallContext
    ) async throws(RPCError) {
        guard let wanted else { return try await write(response) }
        // Whether one is compressed is said for each.
        try context.setCompression(.gzip)
        try await write(response, compressed: wanted.value)
    }
}

extension InteropClient {
    func clientCompressedUnary() async throws {
        try await expectStatus(.invalidArgument) { try await largeUnary(expected: true, nil) }
        try await largeUnary(expected: true, .gzip)
        try await largeUnary(expected: false, nil)
    }

    private func largeUnary(expected: Bool, _ compression: Compression?) async throws {
        var options = options
        options.compression = compression
        var request = Self.largeUnaryRequest()
        request.expectCompressed = .init(value: expected)
        try expectPayload(
            try await service.unaryCall(request, options: options).payload,
            size: Self.largeResponse
        )
    }

    func clientCompressedStreaming() async throws {
        let first = GrpcTesting.StreamingInputCallRequest(
            payload: .zeros(27_182),
            expectCompressed: .init(value: true)
        )
        try await expectStatus(.invalidArgument) {
            try await service.streamingInputCall(options: options) { try await $0.write(first) }
        }
        var compressing = options
        compressing.compression = .gzip
        let response = try await service.streamingInputCall(options: compressing) { requests in
            try await requests.write(first)
            let second = GrpcTesting.StreamingInputCallRequest(
                payload: .zeros(45_904),
                expectCompressed: .init(value: false)
            )
            try await requests.write(second, compressed: false)
        }
        try expectEqual("aggregated size", Int(response.aggregatedPayloadSize), 73_086)
    }

    func serverCompressedUnary() async throws {
        for wanted in [true, false] {
            var request = Self.largeUnaryRequest()
            request.responseCompressed = .init(value: wanted)
            let response = try await unaryCall(request, options)
            try expectPayload(await response.next()?.payload, size: Self.largeResponse)
            try expectEqual("response compressed", response.receivedCompressed, wanted)
            try await expectEnd(of: response)
        }
    }

    func serverCompressedStreaming() async throws {
        let wanted = [(size: 31_415, compressed: true), (size: 92_653, compressed: false)]
        let request = GrpcTesting.StreamingOutputCallRequest(
            responseParameters: wanted.map {
                .init(size: Int32($0.size), compressed: .init(value: $0.compressed))
            }
        )
        let responses = try await service.streamingOutputCall(request, options: options)
        for (size, compressed) in wanted {
            try expectPayload(await responses.next()?.payload, size: size)
            try expectEqual("response compressed", responses.receivedCompressed, compressed)
        }
        try await expectEnd(of: responses)
    }
}
