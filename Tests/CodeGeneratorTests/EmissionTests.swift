// SPDX-License-Identifier: Apache-2.0
import Definitions
import Testing

@testable import CodeGenerator

struct EmissionTests {
    private func source(_ fields: [(Int, WireReader.Value)]) throws -> String {
        let files = try generated(request("a.proto", [file("a.proto", fields)]))
        return try #require(files["a.pb.swift"])
    }

    /// A comment at the element with that path, before it or, on its line, after it.
    private func comment(_ path: ArraySlice<UInt8>, before: String = "", after: String = "") -> (
        Int, WireReader.Value
    ) {
        let parts = [(3, before), (4, after)].filter { !$0.1.isEmpty }.map { ($0.0, text($0.1)) }
        return (1, nested([(1, .bytes(path))] + parts))
    }

    @Test func commentsAreDocumentation() throws {
        let message = nested([
            (1, text("M")), (2, field("a", 1, type: 5, extra: [(9, .varint(0))])),
            (2, field("b", 2, type: 5)), (8, nested([(1, text("choice"))])),
        ])
        let comments = nested([
            comment([4, 0], before: " The message.\n\n   indented\n last\n\n"),
            comment([4, 0, 2, 0], before: " Before.\n", after: " After.\n"),
            comment([4, 0, 2, 1], after: " Only after.\n"),
            comment([4, 0, 8, 0], before: " One of two.\n"),
        ])
        let source = try source([(4, message), (9, comments)])
        #expect(
            source.contains(
                "    /// The message.\n    ///\n    ///   indented\n    /// last\n    package struct M"
            )
        )
        #expect(
            source.contains("/// Before.\n            ///\n            /// After.\n            case a(Int32)")
        )
        #expect(source.contains("/// Only after.\n        package var b: Int32"))
        #expect(source.contains("/// One of two.\n        package var choice: Choice?"))
    }

    @Test func thePackagesCommentsAreItsNamespaces() throws {
        let files = ["a.proto", "b.proto"].map { name in
            file(name, [(9, nested([comment([2], before: " Of \(name).\n")]))])
        }
        let both = message(
            [(1, text("a.proto")), (1, text("b.proto")), (2, text("messages"))] + files.map { (15, $0) }
        )
        let namespaces = try #require(try generated(both.serialized())["Namespaces.swift"])
        #expect(
            namespaces.contains(
                "/// Package `test`.\n///\n/// In `a.proto`: Of a.proto.\n///\n/// In `b.proto`: Of"
            )
        )
        let one = try #require(try generated(request("a.proto", [files[0]]))["Namespaces.swift"])
        #expect(one.contains("/// Package `test`.\n///\n/// Of a.proto.\npackage enum Test {}"))
    }

    @Test func aMessageThatHoldsItselfIsBoxed() throws {
        let own = field("next", 1, type: 11, extra: [(6, text(".test.M"))])
        let other = field("link", 2, type: 11, extra: [(6, text(".test.Link"))])
        let list = field("all", 3, type: 11, extra: [(4, .varint(3)), (6, text(".test.M"))])
        let link = nested([(1, text("Link")), (2, field("back", 1, type: 11, extra: [(6, text(".test.M"))]))])
        let source = try source([(4, nested([(1, text("M")), (2, own), (2, other), (2, list)])), (4, link)])
        #expect(source.contains("@Boxed package var next: Test.M?"))
        #expect(source.contains("@Boxed package var link: Test.Link?"))
        #expect(source.contains("@Boxed package var back: Test.M?"))
        #expect(source.contains("        package var all: [Test.M]"))
    }

    @Test func aChoiceThatHoldsItselfIsIndirect() throws {
        let choice: [(Int, WireReader.Value)] = [(9, .varint(0))]
        let own = field("not", 1, type: 11, extra: choice + [(6, text(".test.M"))])
        let source = try source([
            (
                4,
                nested([
                    (1, text("M")), (2, own), (2, field("n", 2, type: 5, extra: choice)),
                    (8, nested([(1, text("kind"))])),
                ])
            )
        ])
        #expect(source.contains("indirect case not(Test.M)"))
        #expect(source.contains("            case n(Int32)"))
    }

    @Test func aOneofMayBeCalledLikeANestedMessage() throws {
        let choice: [(Int, WireReader.Value)] = [(9, .varint(0))]
        let source = try source([
            (
                4,
                nested([
                    (1, text("M")), (2, field("n", 2, type: 5, extra: choice)),
                    (3, nested([(1, text("Payload"))])), (8, nested([(1, text("payload"))])),
                ])
            )
        ])
        #expect(source.contains("package enum PayloadChoice"))
        #expect(source.contains("package var payload: PayloadChoice?"))
    }

    /// What the C structure's members are called: the fields, then the oneofs.
    private func membersInC(_ fields: [(Int, WireReader.Value)]) throws -> [String] {
        let files = [file("a.proto", [(4, nested([(1, text("M"))] + fields))])]
        let rewritten = try CodeGenerator.requestForC(request("a.proto", files))
        let message = try WireFields(reading: rewritten[...]).messages(15)[0].messages(4)[0]
        return try (message.messages(2) + message.messages(8)).map { $0.text(1) }
    }

    @Test func membersThatClashInCAreNumbered() throws {
        let choice: [(Int, WireReader.Value)] = [
            (2, field("n_items", 7, type: 5, extra: [(9, .varint(0))])), (8, nested([(1, text("MyChoice"))])),
        ]
        let items = field("items", 1, type: 5, extra: [(4, .varint(3))])
        #expect(try membersInC([(2, items)] + choice) == ["field_1", "field_7", "oneof_0"])
        #expect(try membersInC(choice) == ["n_items", "my_choice"])
    }

    @Test func aServiceHasTheDescriptorsOfItsImportsToo() throws {
        let method = nested([(1, text("Say")), (2, text(".test.M")), (3, text(".test.M"))])
        let files = [
            file("base.proto", [(4, nested([(1, text("M"))]))]), file("unused.proto", []),
            file("middle.proto", [(3, text("base.proto"))]),
            file("a.proto", [(3, text("middle.proto")), (6, nested([(1, text("S")), (2, method)]))]),
        ]
        let parameter = "services,import=RPC,imported=Elsewhere"
        let sources = try generated(request("a.proto", files, parameter: parameter))
        let service = try #require(sources["a.rpc.swift"])
        let list = ["base", "middle", "a"].map { "            FileDescriptors.\($0),\n" }.joined()
        #expect(service.contains("[FileDescriptorData] {\n        [\n\(list)        ]\n"))
        #expect(service.contains("package import Elsewhere\npackage import RPC\n"))
        let constants = try #require(sources["FileDescriptors.swift"])
        #expect(constants.contains("static var base:") && !constants.contains("static var unused:"))
    }

    @Test func aMessageMayBeCalledLikeATypeOfTheTransport() throws {
        let method = nested([(1, text("Say")), (2, text(".test.Channel")), (3, text(".test.Channel"))])
        let files = [
            file(
                "a.proto",
                [(4, nested([(1, text("Channel"))])), (6, nested([(1, text("S")), (2, method)]))]
            )
        ]
        let sources = try generated(request("a.proto", files, parameter: "services,import=RPC"))
        let service = try #require(sources["a.rpc.swift"])
        #expect(service.contains("private let channel: RPC.Channel"))
        #expect(
            service.contains("_ request: Test.Channel,\n            options: CallOptions = CallOptions()")
        )
    }
}
