// SPDX-License-Identifier: Apache-2.0
import Definitions
import Testing

@testable import CodeGenerator

struct CodeGeneratorTests {
    /// `service Greeter { rpc Greet(Greeting) returns (stream Greeting); }` and its message.
    private var request: [UInt8] {
        let greeting = nested([
            (1, text("Greeting")),
            (2, field("who", 1, type: 9)),
            (2, field("errno", 2, type: 5, extra: [(9, .varint(0)), (17, .varint(1))])),
            (2, field("mood", 3, type: 14, extra: [(6, text(".petrel.greet.v1.Mood"))])),
            (8, nested([(1, text("_errno"))])),
        ])
        let mood = nested([
            (1, text("Mood")),
            (2, nested([(1, text("MOOD_UNKNOWN")), (2, .varint(0))])),
            (2, nested([(1, text("MOOD_SO_SO")), (2, .varint(1))])),
        ])
        let greet = nested([
            (1, text("Greet")), (2, text(".petrel.greet.v1.Greeting")),
            (3, text(".petrel.greet.v1.Greeting")),
            (6, .varint(1)),
        ])
        let comment = nested([(1, .bytes([4, 0])), (3, text(" What is said.\n"))])
        let file = nested([
            (1, text("petrel/greet/v1/greet.proto")), (2, text("petrel.greet.v1")), (4, greeting), (5, mood),
            (6, nested([(1, text("Greeter")), (2, greet)])), (9, nested([(1, comment)])),
            (12, text("proto3")),
        ])
        return message([(1, text("petrel/greet/v1/greet.proto")), (15, file)]).serialized()
    }

    private func request(_ parameter: String) -> [UInt8] {
        request + message([(2, text(parameter))]).serialized()
    }

    // MARK: - Tests

    @Test func messagesAreGenerated() throws {
        let files = try generated(request("messages,import=CMessages"))
        #expect(files.keys.sorted() == ["Namespaces.swift", "petrel.greet.v1.greet.pb.swift"])
        #expect(files["petrel.greet.v1.greet.pb.swift"] == Golden.messages)
        #expect(files["Namespaces.swift"]?.hasSuffix("package enum GreetV1 {}\n") == true)
    }

    @Test func servicesAreGenerated() throws {
        let files = try generated(request("services,import=Messages,import=RPC"))
        #expect(files.keys.sorted() == ["FileDescriptors.swift", "petrel.greet.v1.greet.rpc.swift"])
        #expect(files["petrel.greet.v1.greet.rpc.swift"] == Golden.services)
        #expect(files["FileDescriptors.swift"] == Golden.descriptors)
    }

    @Test func theRequestForCHasOnlyWhatItsCompilerTakes() throws {
        let wire = try WireFields(reading: CodeGenerator.requestForC(request("messages"))[...])
        #expect(wire.text(2) == "")
        let file = try #require(try wire.messages(15).first)
        #expect([5, 6, 9].allSatisfy { file.all($0).isEmpty })
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
        let response = try WireFields(reading: CodeGenerator.respond(to: request(parameter))[...])
        #expect(response.text(1).contains("parameter"))
        #expect(response.all(15).isEmpty)
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
