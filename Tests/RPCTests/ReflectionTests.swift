// SPDX-License-Identifier: Apache-2.0
import Definitions
import Logging
import Messages
import RPC
import Services
import System
import TestMessages
import TestSupport
import Testing

/// A service whose definition file has what generated ones never have: extensions.
private struct Bases: RPCService {
    let serviceName = "old.Bases"
    let methods: [RPCMethod] = []

    /// `old.proto`: message `Base` with a field of grpc.health.v1, extensions 101 `less` and 150 `more`, service `Bases`.
    let fileDescriptors = [
        FileDescriptorData(
            name: "old.proto",
            base64: """
                CglvbGQucHJvdG8SA29sZBobZ3JwYy9oZWFsdGgvdjEvaGVhbHRoLnByb3RvIkkKBEJhc2USOgoGaGVhbHRo\
                GAEgASgLMiIuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXF1ZXN0UgZoZWFsdGgqBQhkEMkBMiQKBUJh\
                c2VzEhsKA0dldBIJLm9sZC5CYXNlGgkub2xkLkJhc2U6HgoEbW9yZRIJLm9sZC5CYXNlGJYBIAEoCFIEbW9y\
                ZTodCgRsZXNzEgkub2xkLkJhc2UYZSABKAhSBGxlc3M=
                """
        )
    ]
}

/// A service whose definitions nobody can read.
private struct Broken: RPCService {
    let serviceName = "broken.Service"
    let methods: [RPCMethod] = []
    let fileDescriptors = [FileDescriptorData(name: "broken.proto", base64: "CgE=")]
}

struct ReflectionTests {
    private typealias Request = GrpcReflectionV1.ServerReflectionRequest
    private typealias Response = GrpcReflectionV1.ServerReflectionResponse

    private static let versions = ["grpc.reflection.v1", "grpc.reflection.v1alpha"]

    /// One conversation with a server of the services.
    private func ask(
        _ requests: [Request],
        version: String = versions[0],
        of services: [any RPCService] = [Bases()]
    ) async throws -> [Response] {
        try await withTemporaryDirectory { directory in
            let path = directory + "/server.sock"
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let server = RPCServer(services: services, logger: logger)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, in: &group)
                let channel = Channel(unixSocket: path)
                let options = CallOptions(timeout: .seconds(60))
                let method = "/\(version).ServerReflection/ServerReflectionInfo"
                let answers = try await channel.bidirectional(method, options) {
                    (writer: RequestWriter<Request>, responses: ResponseStream<Response>) in
                    var answers: [Response] = []
                    for request in requests {
                        try await writer.write(request)
                        if let answer = try await responses.next() { answers.append(answer) }
                    }
                    writer.finish()
                    expect(try await responses.next() == nil)
                    return answers
                }
                await channel.close()
                server.gracefulShutdown()
                try await group.waitForAll()
                return answers
            }
        }
    }

    private func files(_ response: Response) throws -> [String] {
        guard case .fileDescriptorResponse(let found) = response.messageResponse else {
            Issue.record("no files: \(response)")
            return []
        }
        return try found.fileDescriptorProto.map { try FileDefinition(serialized: $0).name }
    }

    @Test(arguments: versions) func allServicesAreListedUnderBothVersions(version: String) async throws {
        let request = Request(host: "here", messageRequest: .listServices("*"))
        let answer = try await ask([request], version: version)[0]
        #expect(answer.validHost == "here" && answer.originalRequest == request)
        let names = [
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection", "old.Bases",
        ]
        #expect(
            answer.messageResponse == .listServicesResponse(.init(service: names.map { .init(name: $0) }))
        )
    }

    @Test func whatIsBuiltInIsDefinedToo() async throws {
        let symbols = [
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection.ServerReflectionInfo",
            "grpc.reflection.v1alpha.ErrorResponse",
        ]
        let answers = try await ask(symbols.map { Request(messageRequest: .fileContainingSymbol($0)) })
        #expect(
            try answers.map(files) == [
                ["grpc/health/v1/health.proto"], ["grpc/reflection/v1/reflection.proto"],
                ["grpc/reflection/v1alpha/reflection.proto"],
            ]
        )
    }

    /// What a file imports comes along once; a file that is asked for comes each time.
    @Test(arguments: versions) func filesComeWithTheirImports(version: String) async throws {
        let requests: [Request.MessageRequest] = [
            .fileContainingSymbol("old.Bases.Get"), .fileByFilename("old.proto"),
            .fileByFilename("grpc/health/v1/health.proto"),
        ]
        let answers = try await ask(requests.map { Request(messageRequest: $0) }, version: version)
        #expect(
            try answers.map(files) == [
                ["old.proto", "grpc/health/v1/health.proto"], ["old.proto"], ["grpc/health/v1/health.proto"],
            ]
        )
    }

    @Test func extensionsAreFound() async throws {
        let answers = try await ask([
            Request(
                messageRequest: .fileContainingExtension(
                    .init(containingType: "old.Base", extensionNumber: 150)
                )
            ),
            Request(messageRequest: .allExtensionNumbersOfType("old.Base")),
            Request(messageRequest: .allExtensionNumbersOfType("grpc.health.v1.HealthCheckRequest")),
        ])
        #expect(try files(answers[0]) == ["old.proto", "grpc/health/v1/health.proto"])
        #expect(
            answers[1].messageResponse
                == .allExtensionNumbersResponse(
                    .init(baseTypeName: "old.Base", extensionNumber: [101, 150])
                )
        )
        #expect(
            answers[2].messageResponse
                == .allExtensionNumbersResponse(.init(baseTypeName: "grpc.health.v1.HealthCheckRequest"))
        )
    }

    /// An error is an answer, and ends nothing.
    @Test func whatIsNotThereIsAnError() async throws {
        let requests: [(Request.MessageRequest?, Int32, String)] = [
            (.fileContainingSymbol("old.Nope"), 5, "no symbol old.Nope"),
            (.fileContainingSymbol(""), 5, "no symbol "),
            (.fileByFilename("nope.proto"), 5, "no file nope.proto"),
            (
                .fileContainingExtension(.init(containingType: "old.Base", extensionNumber: -1)), 5,
                "no extension -1 of old.Base"
            ),
            (.allExtensionNumbersOfType("old.Nope"), 5, "no type old.Nope"),
            (nil, 12, "no such request"),
        ]
        let answers = try await ask(requests.map { Request(messageRequest: $0.0) })
        #expect(answers.count == requests.count)
        for (answer, (_, code, text)) in zip(answers, requests) {
            #expect(answer.messageResponse == .errorResponse(.init(errorCode: code, errorMessage: text)))
        }
    }

    @Test func definitionsThatCannotBeReadAreTheServersFault() async throws {
        let listed = try await ask([Request(messageRequest: .listServices(""))], of: [Broken()])
        #expect(listed.count == 1)
        await expectFailure(.internal) {
            try await ask([Request(messageRequest: .fileContainingSymbol("x"))], of: [Broken()])
        }
    }

    @Test func healthKnowsReflection() async throws {
        try await withEcho { _, _, _, path in
            let client = GrpcHealthV1.HealthClient(channel: Channel(unixSocket: path))
            for version in Self.versions {
                let answer = try await client.check(.init(service: version + ".ServerReflection"))
                #expect(answer.status == .serving)
            }
        }
    }
}

/// Calls by a method's path, with bytes.
struct RawMessageTests {
    private let service = "/petrel.test.v1.Echo/"

    private func request(_ text: String, count: UInt32 = 0) -> RawMessage {
        RawMessage(TestV1.EchoRequest(text: text, count: count).serialized())
    }

    private func text(_ response: RawMessage?) throws -> String {
        try TestV1.EchoResponse(serialized: try #require(response).bytes).text
    }

    @Test func everyKindOfCallTakesBytes() async throws {
        try await withEcho { _, _, _, path in
            let channel = Channel(unixSocket: path)
            let options = CallOptions()
            let answer: RawMessage = try await channel.unary(service + "Say", request("one"), options)
            expect(try text(answer) == "one")
            let stream: ResponseStream<RawMessage> = try await channel.serverStreaming(
                service + "Repeat",
                request("two", count: 3),
                options
            )
            var count = 0
            for try await response in stream where try text(response) == "two" { count += 1 }
            #expect(count == 3)
            let collected: RawMessage = try await channel.clientStreaming(service + "Collect", options) {
                for text in ["a", "b"] { try await $0.write(request(text)) }
            }
            expect(try text(collected) == "ab")
            let said = try await channel.bidirectional(service + "Converse", options) {
                (writer: RequestWriter<RawMessage>, responses: ResponseStream<RawMessage>) in
                try await writer.write(request("hello"))
                return try await responses.next()
            }
            expect(try text(said) == "hello")
            await channel.close()
        }
    }

    /// What this side knows nothing of is passed on as it is.
    @Test func bytesAreKept() throws {
        let bytes: [UInt8] = [0xff, 0, 1]
        #expect(try RawMessage(serialized: bytes).serialized() == bytes)
    }
}
