// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages

/// The cases whose calls end well.
extension InteropClient {
    func emptyUnary() async throws {
        try expectEqual("response", try await service.emptyCall(.init(), options: options), .init())
    }

    func largeUnary() async throws {
        let response = try await service.unaryCall(Self.largeUnaryRequest(), options: options)
        try expectPayload(response.payload, size: Self.largeResponse)
    }

    func clientStreaming() async throws {
        let response = try await service.streamingInputCall(options: options) { requests in
            for size in Self.requestSizes { try await requests.write(.init(payload: .zeros(size))) }
        }
        try expectEqual(
            "aggregated size",
            Int(response.aggregatedPayloadSize),
            Self.requestSizes.reduce(0, +)
        )
    }

    func serverStreaming() async throws {
        let request = GrpcTesting.StreamingOutputCallRequest(
            responseParameters: Self.responseSizes.map { .init(size: Int32($0)) }
        )
        let responses = try await service.streamingOutputCall(request, options: options)
        for size in Self.responseSizes { try expectPayload(await responses.next()?.payload, size: size) }
        try await expectEnd(of: responses)
    }

    func pingPong() async throws {
        try await service.fullDuplexCall(options: options) { requests, responses in
            for (sent, wanted) in zip(Self.requestSizes, Self.responseSizes) {
                try await requests.write(Self.request(wanting: wanted, payload: sent))
                try expectPayload(await responses.next()?.payload, size: wanted)
            }
            requests.finish()
            try await expectEnd(of: responses)
        }
    }

    func emptyStream() async throws {
        try await service.fullDuplexCall(options: options) { requests, responses in
            requests.finish()
            try await expectEnd(of: responses)
        }
    }

    func customMetadata() async throws {
        var options = options
        options.metadata[TestService.echoedInitial] = Self.initialValue
        options.metadata.add(Self.trailingValue, for: TestService.echoedTrailing)
        let response = try await unaryCall(Self.largeUnaryRequest(), options)
        try await expectEcho(response) { try expectPayload($0.payload, size: Self.largeResponse) }
        try await service.fullDuplexCall(options: options) { requests, responses in
            try await requests.write(Self.request(wanting: Self.largeResponse, payload: Self.largeRequest))
            requests.finish()
            try await expectEcho(responses) { try expectPayload($0.payload, size: Self.largeResponse) }
        }
    }

    private static let initialValue = "test_initial_metadata_value"
    private static let trailingValue: [UInt8] = [0xab, 0xab, 0xab]

    /// One response, with the metadata that was sent before and after it.
    private func expectEcho<Response>(
        _ responses: ResponseStream<Response>,
        _ check: (Response) throws -> Void
    ) async throws {
        try expectEqual(
            "initial metadata",
            await responses.initialMetadata[TestService.echoedInitial],
            Self.initialValue
        )
        guard let response = try await responses.next() else { throw CaseFailure("no response") }
        try check(response)
        try await expectEnd(of: responses)
        try expectEqual(
            "trailing metadata",
            responses.trailingMetadata.bytes(TestService.echoedTrailing),
            Self.trailingValue
        )
    }

    /// The call ends well, and without a further response.
    func expectEnd<Response>(of responses: ResponseStream<Response>) async throws {
        let isOver = try await responses.next() == nil
        try expect(isOver, "more responses than were asked for")
    }
}
