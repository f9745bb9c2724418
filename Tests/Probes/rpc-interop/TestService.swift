// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages

/// `grpc.testing.TestService`, as gRPC's description of the tests wants it.
struct TestService: GrpcTesting.TestServiceService {
    static let echoedInitial = "x-grpc-test-echo-initial"
    static let echoedTrailing = "x-grpc-test-echo-trailing-bin"
    private static let absentMethod = "UnimplementedCall"

    /// The service without the method that no server has.
    static var served: some RPCService {
        let service = TestService()
        return Served(
            serviceName: service.serviceName,
            methods: service.methods.filter { $0.name != absentMethod }
        )
    }

    private struct Served: RPCService {
        let serviceName: String
        let methods: [RPCMethod]
    }

    func emptyCall(_ request: GrpcTesting.Empty, context: CallContext) async throws -> GrpcTesting.Empty {
        GrpcTesting.Empty()
    }

    func unaryCall(
        _ request: GrpcTesting.SimpleRequest,
        context: CallContext
    ) async throws -> GrpcTesting.SimpleResponse {
        echoMetadata(context)
        try context.checkCompression(request.expectCompressed)
        try checkStatus(request.responseStatus)
        try context.compressOnlyResponse(request.responseCompressed)
        return GrpcTesting.SimpleResponse(payload: .zeros(Int(request.responseSize)))
    }

    func streamingInputCall(
        _ requests: RequestStream<GrpcTesting.StreamingInputCallRequest>,
        context: CallContext
    ) async throws -> GrpcTesting.StreamingInputCallResponse {
        var size = 0
        for try await request in requests {
            try context.checkCompression(request.expectCompressed)
            size += request.payload?.body.count ?? 0
        }
        return GrpcTesting.StreamingInputCallResponse(aggregatedPayloadSize: Int32(clamping: size))
    }

    func streamingOutputCall(
        _ request: GrpcTesting.StreamingOutputCallRequest,
        to responses: ResponseWriter<GrpcTesting.StreamingOutputCallResponse>,
        context: CallContext
    ) async throws {
        echoMetadata(context)
        try await answer(request, to: responses, context)
    }

    func fullDuplexCall(
        _ requests: RequestStream<GrpcTesting.StreamingOutputCallRequest>,
        to responses: ResponseWriter<GrpcTesting.StreamingOutputCallResponse>,
        context: CallContext
    ) async throws {
        echoMetadata(context)
        for try await request in requests { try await answer(request, to: responses, context) }
    }

    /// Never called: see `served`.
    func unimplementedCall(
        _ request: GrpcTesting.Empty,
        context: CallContext
    ) async throws -> GrpcTesting.Empty {
        throw RPCError(.internal, "\(context.method) is served")
    }

    private func answer(
        _ request: GrpcTesting.StreamingOutputCallRequest,
        to responses: ResponseWriter<GrpcTesting.StreamingOutputCallResponse>,
        _ context: CallContext
    ) async throws {
        try checkStatus(request.responseStatus)
        for wanted in request.responseParameters {
            if wanted.intervalUs > 0 { try await Task.sleep(for: .microseconds(wanted.intervalUs)) }
            let response = GrpcTesting.StreamingOutputCallResponse(payload: .zeros(Int(wanted.size)))
            try await responses.write(response, asAskedBy: wanted.compressed, context)
        }
    }

    private func echoMetadata(_ context: CallContext) {
        if let text = context.metadata[Self.echoedInitial] {
            context.setInitialMetadata([Self.echoedInitial: text])
        }
        if let bytes = context.metadata.bytes(Self.echoedTrailing) {
            var trailing = Metadata()
            trailing.add(bytes, for: Self.echoedTrailing)
            context.setTrailingMetadata(trailing)
        }
    }

    private func checkStatus(_ status: GrpcTesting.EchoStatus?) throws(RPCError) {
        guard let status, status.code != 0 else { return }
        throw RPCError(StatusCode(rawValue: Int(status.code)) ?? .unknown, status.message)
    }
}

extension GrpcTesting.Payload {
    static func zeros(_ size: Int) -> Self { Self(body: [UInt8](repeating: 0, count: max(0, size))) }
}
