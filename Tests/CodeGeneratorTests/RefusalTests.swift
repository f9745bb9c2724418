// SPDX-License-Identifier: Apache-2.0
import CodeGenerator
import Definitions
import Testing

/// What cannot be served is refused with the file, the element, the reason and a way out.
struct RefusalTests {
    private func error(_ request: [UInt8]) throws -> String {
        try WireFields(reading: CodeGenerator.respond(to: request)[...]).text(1)
    }

    private func error(ofMessage fields: [(Int, WireReader.Value)]) throws -> String {
        try error(request("a.proto", [file("a.proto", [(4, nested([(1, text("M"))] + fields))])]))
    }

    @Test(arguments: [
        ("", "has syntax proto2"), ("proto2", "has syntax proto2"), ("editions", "uses an edition"),
    ])
    func otherSyntaxesAreRefused(syntax: String, problem: String) throws {
        let files = [file("a.proto", [(12, text(syntax))])]
        let expected = "a.proto: \(problem); write it in proto3 (syntax = \"proto3\";)"
        #expect(try error(request("a.proto", files)) == expected)
        #expect(throws: GeneratorError.self) { try CodeGenerator.requestForC(request("a.proto", files)) }
    }

    @Test func anImportedFileOfProto2NamesItsImporters() throws {
        let files = [
            file("old.proto", [(12, text("proto2"))]), file("a.proto", [(3, text("old.proto"))]),
        ]
        #expect(
            try error(request("a.proto", files))
                == "old.proto: has syntax proto2; write it in proto3 (syntax = \"proto3\";), or remove its import "
                + "from a.proto"
        )
    }

    @Test func aFileThatIsNoneIsReported() throws {
        #expect(try error(ofMessage: [(2, field("f", 0, type: 5))]) == "test.M.f has no valid number")
    }

    @Test func groupsAreRefused() throws {
        #expect(
            try error(ofMessage: [(2, field("g", 1, type: 10, extra: [(6, text(".test.M.G"))]))])
                == "a.proto: test.M.g is a group; make it a field of a nested message's type"
        )
    }

    @Test func requiredFieldsAreRefused() throws {
        #expect(
            try error(ofMessage: [(2, field("f", 1, type: 5, extra: [(4, .varint(2))]))])
                == "a.proto: test.M.f is required; proto3 has no required fields: remove the word"
        )
    }

    @Test func defaultValuesAreRefused() throws {
        #expect(
            try error(ofMessage: [(2, field("f", 1, type: 5, extra: [(7, text("3"))]))])
                == "a.proto: test.M.f has a default value; in proto3 it is always zero: remove it"
        )
    }

    @Test func whatIsWrongInANestedMessageIsFound() throws {
        let inner = nested([
            (1, text("Inner")), (2, field("g", 1, type: 10, extra: [(6, text(".test.M.G"))])),
        ])
        #expect(try error(ofMessage: [(3, inner)]).hasPrefix("a.proto: test.M.Inner.g is a group"))
    }

    @Test func extensionsAreRefused() throws {
        let range = nested([(1, .varint(100)), (2, .varint(200))])
        #expect(
            try error(ofMessage: [(5, range)])
                == "a.proto: test.M has a range for extensions; extensions do not exist in proto3: remove the range"
        )
        let own = field("more", 100, type: 5, extra: [(2, text(".test.M"))])
        #expect(
            try error(ofMessage: [(6, own)])
                == "a.proto: test.M.more extends test.M; extensions do not exist in proto3: make it a field of the "
                + "message"
        )
        let option = field("mark", 5000, type: 9, extra: [(2, text(".google.protobuf.FieldOptions"))])
        let imported = file("google/protobuf/descriptor.proto", [(12, text("proto2"))])
        #expect(
            try error(request("a.proto", [imported, file("a.proto", [(7, option)])]))
                == "a.proto: test.mark extends google.protobuf.FieldOptions; custom options are not read: remove the "
                + "extension and its uses"
        )
    }

    @Test func twoFieldsWithOneSwiftNameAreRefused() throws {
        #expect(
            try error(ofMessage: [(2, field("a_b", 1, type: 5)), (2, field("aB", 2, type: 5))])
                == "a.proto: test.M.aB and a_b would both be aB in Swift; rename one of them"
        )
    }

    @Test func twoEnumValuesWithOneSwiftNameAreRefused() throws {
        let values = ["KIND_A", "A"].enumerated().map { number, name in
            (2, nested([(1, text(name)), (2, .varint(UInt64(number)))]))
        }
        let files = [file("a.proto", [(5, nested([(1, text("Kind"))] + values))])]
        #expect(
            try error(request("a.proto", files))
                == "a.proto: test.Kind.A and KIND_A would both be a in Swift; rename one of them"
        )
    }

    @Test func twoMethodsWithOneSwiftNameAreRefused() throws {
        let methods = ["Say", "say"].map { name in
            (2, nested([(1, text(name)), (2, text(".test.M")), (3, text(".test.M"))]))
        }
        let files = [
            file("a.proto", [(4, nested([(1, text("M"))])), (6, nested([(1, text("S"))] + methods))])
        ]
        #expect(
            try error(request("a.proto", files, parameter: "services"))
                == "a.proto: test.S.say and Say would both be say in Swift; rename one of them"
        )
    }

    @Test func twoTypesWithOneNameAreRefused() throws {
        let inSwift = ["String", "String_"].map { (4, nested([(1, text($0))])) }
        #expect(
            try error(request("a.proto", [file("a.proto", inSwift)]))
                == "a.proto: test.String_ and test.String would both be Test.String_ in generated code; rename one of "
                + "them"
        )
        let inC = ["FooBar", "Foo_Bar"].map { (4, nested([(1, text($0))])) }
        #expect(
            try error(request("a.proto", [file("a.proto", inC)]))
                == "a.proto: test.Foo_Bar and test.FooBar would both be Test__FooBar in generated code; rename one of "
                + "them"
        )
    }

    @Test func twoPackagesWithOneNamespaceAreRefused() throws {
        let files = ["petrel.test", "test"].map { package in
            nested([(1, text(package + ".proto")), (2, text(package)), (12, text("proto3"))])
        }
        #expect(
            try error(request("test.proto", files))
                == "test.proto: package test and package petrel.test would both be Test in Swift; rename one of them"
        )
    }
}
