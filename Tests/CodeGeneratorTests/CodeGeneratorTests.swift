// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import CodeGenerator

struct CodeGeneratorTests {
    /// `service Greeter { rpc Greet(Greeting) returns (stream Greeting); }` and its message.
    private var request: [UInt8] {
        let greeting = message([
            (1, text("Greeting")),
            (2, field("who", 1, type: 9)),
            (2, field("errno", 2, type: 5, extra: [(9, .varint(0)), (17, .varint(1))])),
            (2, field("mood", 3, type: 14, extra: [(6, text(".petrel.greet.v1.Mood"))])),
            (8, .bytes(message([(1, text("_errno"))]).serialized())),
        ])
        let mood = message([
            (1, text("Mood")),
            (2, .bytes(message([(1, text("MOOD_UNKNOWN")), (2, .varint(0))]).serialized())),
            (2, .bytes(message([(1, text("MOOD_SO_SO")), (2, .varint(1))]).serialized())),
        ])
        let greet = message([
            (1, text("Greet")), (2, text(".petrel.greet.v1.Greeting")),
            (3, text(".petrel.greet.v1.Greeting")),
            (6, .varint(1)),
        ])
        let service = message([(1, text("Greeter")), (2, .bytes(greet.serialized()))])
        let comment = message([(1, .bytes([4, 0])), (3, text(" What is said.\n"))])
        let file = message([
            (1, text("petrel/greet/v1/greet.proto")), (2, text("petrel.greet.v1")),
            (4, .bytes(greeting.serialized())), (5, .bytes(mood.serialized())),
            (6, .bytes(service.serialized())),
            (9, .bytes(message([(1, .bytes(comment.serialized()))]).serialized())), (12, text("proto3")),
        ])
        return message([(1, text("petrel/greet/v1/greet.proto")), (15, .bytes(file.serialized()))])
            .serialized()
    }

    private func request(_ parameter: String) -> [UInt8] {
        var wire = (try? WireMessage(request)) ?? WireMessage()
        wire.append(2, parameter)
        return wire.serialized()
    }

    private func files(_ parameter: String) throws -> [String: String] {
        let response = try WireMessage(CodeGenerator.respond(to: request(parameter)))
        #expect(response.text(1) == "")
        var result: [String: String] = [:]
        for file in try response.messages(15) { result[file.text(1)] = file.text(15) }
        return result
    }

    // MARK: - Tests

    @Test func messagesAreGenerated() throws {
        let files = try files("messages,import=CMessages")
        #expect(files.keys.sorted() == ["Namespaces.swift", "petrel.greet.v1.greet.pb.swift"])
        #expect(files["petrel.greet.v1.greet.pb.swift"] == Golden.messages)
        #expect(files["Namespaces.swift"]?.hasSuffix("package enum GreetV1 {}\n") == true)
    }

    @Test func servicesAreGenerated() throws {
        let files = try files("services,import=Messages,import=RPC")
        #expect(files.keys.sorted() == ["FileDescriptors.swift", "petrel.greet.v1.greet.rpc.swift"])
        #expect(files["petrel.greet.v1.greet.rpc.swift"] == Golden.services)
        #expect(files["FileDescriptors.swift"] == Golden.descriptors)
    }

    @Test func theRequestForCHasOnlyWhatItsCompilerTakes() throws {
        let wire = try WireMessage(CodeGenerator.requestForC(request("messages")))
        #expect(wire.text(2) == "")
        let file = try #require(try wire.messages(15).first)
        #expect(try file.messages(5).isEmpty && file.messages(6).isEmpty && file.messages(9).isEmpty)
        let fields = try #require(try file.messages(4).first).messages(2)
        #expect(fields.map { $0.text(1) } == ["who", "errno_field", "mood"])
        // Text is bytes, the enum an integer; the synthetic oneof stays, the flag goes.
        #expect(fields.map { $0.integer(5) } == [12, 5, 5])
        #expect(fields[1].integer(9) == 0)
        #expect(fields[1].integer(17) == nil)
        #expect(fields[2].text(6) == "")
    }

    @Test(arguments: ["", "nonsense", "messages,what"])
    func badParametersAreReported(parameter: String) throws {
        let response = try WireMessage(CodeGenerator.respond(to: request(parameter)))
        #expect(response.text(1).contains("parameter"))
        #expect(try response.messages(15).isEmpty)
    }

    @Test func aBrokenRequestIsAnError() {
        #expect(throws: GeneratorError.self) { try CodeGenerator.respond(to: [0x0a, 0xff]) }
    }

    @Test(arguments: [
        ("petrel.engine.v1", "EngineV1"), ("grpc.health.v1", "GrpcHealthV1"), ("google.rpc", "GoogleRpc"),
        ("petrel", "Petrel"), ("", "Unpackaged"), ("petrel.string", "String_"),
    ])
    func packagesBecomeNamespaces(package: String, namespace: String) {
        #expect(Names.namespace(package: package) == namespace)
    }

    @Test(arguments: [
        ("RESTART_MODE_ON_FAILURE", "RestartMode", "onFailure"), ("STDIN_WRITE", "Role", "stdinWrite"),
        ("DEFAULT", "Kind", "`default`"), ("KIND_2D", "Kind", "_2d"), ("KIND_RAW_VALUE", "Kind", "rawValue_"),
    ])
    func enumValuesLoseTheirPrefix(value: String, enumeration: String, name: String) {
        #expect(Names.enumCase(value, in: enumeration) == name)
    }
}
