// SPDX-License-Identifier: Apache-2.0
internal import Messages

/// `grpc.reflection.v1.ServerReflection`, and v1alpha, as every server has them: what it serves, and the definition files.
///
/// The two versions are the same bytes under two names, so the messages of one serve both. What a server serves does
/// not change; the definitions are read with the first request that needs one.
final class ReflectionService: RPCService {
    private typealias Request = GrpcReflectionV1.ServerReflectionRequest
    private typealias Response = GrpcReflectionV1.ServerReflectionResponse

    enum Version: String, CaseIterable { case v1, v1alpha }

    let serviceName: String
    let fileDescriptors: [FileDescriptorData]
    private let library: DefinitionLibrary

    init(_ version: Version, library: DefinitionLibrary) {
        serviceName = Self.name(version)
        fileDescriptors = [Self.file(version)]
        self.library = library
    }

    static func name(_ version: Version) -> String { "grpc.reflection.\(version.rawValue).ServerReflection" }

    static func file(_ version: Version) -> FileDescriptorData {
        switch version {
        case .v1: FileDescriptors.grpcReflectionV1Reflection
        case .v1alpha: FileDescriptors.grpcReflectionV1alphaReflection
        }
    }

    var methods: [RPCMethod] {
        [
            .bidirectional("ServerReflectionInfo") { [library] requests, responses, _ in
                try await Self.answer(requests, responses, library)
            }
        ]
    }

    private static func answer(
        _ requests: RequestStream<Request>,
        _ responses: ResponseWriter<Response>,
        _ library: DefinitionLibrary
    ) async throws {
        var sent: Set<String> = []
        for try await request in requests {
            let body = try library.answer(request.messageRequest, sent: &sent)
            try await responses.write(
                Response(validHost: request.host, originalRequest: request, messageResponse: body)
            )
        }
    }
}
