// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages

/// The cases whose calls fail, or are ended by the client.
extension InteropClient {
    func statusCodeAndMessage() async throws {
        let message = "test status message"
        let status = GrpcTesting.EchoStatus(code: Int32(StatusCode.unknown.rawValue), message: message)
        try await expectStatus(.unknown, message) {
            try await service.unaryCall(.init(responseStatus: status), options: options)
        }
        try await expectStatus(.unknown, message) {
            try await service.fullDuplexCall(options: options) { requests, responses in
                try await requests.write(.init(responseStatus: status))
                requests.finish()
                return try await responses.next()
            }
        }
    }

    func specialStatusMessage() async throws {
        let message =
            "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n"
        let status = GrpcTesting.EchoStatus(code: Int32(StatusCode.unknown.rawValue), message: message)
        try await expectStatus(.unknown, message) {
            try await service.unaryCall(.init(responseStatus: status), options: options)
        }
    }

    func unimplementedMethod() async throws {
        try await expectStatus(.unimplemented) {
            try await service.unimplementedCall(.init(), options: options)
        }
    }

    func unimplementedService() async throws {
        let absent = GrpcTesting.UnimplementedServiceClient(channel: channel)
        try await expectStatus(.unimplemented) {
            try await absent.unimplementedCall(.init(), options: options)
        }
    }

    // MARK: - Ended by the client

    func cancelAfterBegin() async throws {
        try await channel.bidirectional("/grpc.testing.TestService/StreamingInputCall", options) {
            (
                _: RequestWriter<GrpcTesting.StreamingInputCallRequest>,
                responses: ResponseStream<GrpcTesting.StreamingInputCallResponse>
            ) in
            // Has been answered when the server knows of the call before it.
            _ = try await service.emptyCall(.init(), options: options)
            responses.cancel()
            try await expectStatus(.cancelled) { try await responses.next() }
        }
        // The connection has not suffered.
        try await emptyUnary()
    }

    func cancelAfterFirstResponse() async throws {
        try await service.fullDuplexCall(options: options) { requests, responses in
            let size = Self.responseSizes[0]
            try await requests.write(Self.request(wanting: size, payload: Self.requestSizes[0]))
            try expectPayload(await responses.next()?.payload, size: size)
            responses.cancel()
            try await expectStatus(.cancelled) { try await responses.next() }
        }
        try await emptyUnary()
    }

    func timeoutOnSleepingServer() async throws {
        // There is a connection before the clock starts.
        try await emptyUnary()
        try await expectStatus(.deadlineExceeded) {
            try await service.fullDuplexCall(options: .init(timeout: .milliseconds(1))) {
                requests,
                responses in
                try await requests.write(Self.request(payload: Self.requestSizes[0]))
                return try await responses.next()
            }
        }
        try await emptyUnary()
    }
}
