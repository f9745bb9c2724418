// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages

/// Runs cases against a server; values and steps are those of gRPC's description of the tests.
struct InteropClient {
    static let largeRequest = 271_828
    static let largeResponse = 314_159
    static let requestSizes = [27_182, 8, 1828, 45_904]
    static let responseSizes = [31_415, 9, 2653, 58_979]
    /// Of a call that no case limits itself.
    static let timeout = Duration.seconds(30)

    let channel: Channel
    let service: GrpcTesting.TestServiceClient
    let options = CallOptions(timeout: timeout, asksForCompression: true)

    init(channel: Channel) {
        self.channel = channel
        service = GrpcTesting.TestServiceClient(channel: channel)
    }

    /// - Throws: `CaseFailure`, or the error of a call that should have ended well.
    func run(_ wanted: InteropCase) async throws {
        switch wanted {
        case .emptyUnary: try await emptyUnary()
        case .largeUnary: try await largeUnary()
        case .clientStreaming: try await clientStreaming()
        case .serverStreaming: try await serverStreaming()
        case .pingPong: try await pingPong()
        case .emptyStream: try await emptyStream()
        case .customMetadata: try await customMetadata()
        case .statusCodeAndMessage: try await statusCodeAndMessage()
        case .specialStatusMessage: try await specialStatusMessage()
        case .unimplementedMethod: try await unimplementedMethod()
        case .unimplementedService: try await unimplementedService()
        case .cancelAfterBegin: try await cancelAfterBegin()
        case .cancelAfterFirstResponse: try await cancelAfterFirstResponse()
        case .timeoutOnSleepingServer: try await timeoutOnSleepingServer()
        case .clientCompressedUnary: try await clientCompressedUnary()
        case .clientCompressedStreaming: try await clientCompressedStreaming()
        case .serverCompressedUnary: try await serverCompressedUnary()
        case .serverCompressedStreaming: try await serverCompressedStreaming()
        }
    }

    /// A unary call with all that comes with its response: the generated method gives the response alone.
    func unaryCall(
        _ request: GrpcTesting.SimpleRequest,
        _ options: CallOptions
    ) async throws(RPCError) -> ResponseStream<GrpcTesting.SimpleResponse> {
        try await channel.serverStreaming("/grpc.testing.TestService/UnaryCall", request, options)
    }

    static func largeUnaryRequest() -> GrpcTesting.SimpleRequest {
        GrpcTesting.SimpleRequest(responseSize: Int32(largeResponse), payload: .zeros(largeRequest))
    }

    static func request(wanting sizes: Int..., payload: Int) -> GrpcTesting.StreamingOutputCallRequest {
        GrpcTesting.StreamingOutputCallRequest(
            responseParameters: sizes.map { .init(size: Int32($0)) },
            payload: .zeros(payload)
        )
    }
}
