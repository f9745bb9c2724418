// SPDX-License-Identifier: Apache-2.0
import Definitions
import Testing

struct FileDefinitionTests {
    @Test func aFileHasWhatItDeclares() throws {
        let bytes = file(imports: ["c.proto"]) { file in
            file.bytes(
                4,
                message { thing in
                    thing.text(1, "Thing")
                    thing.bytes(2, field("wall_unix_nanos", 1, type: 3))
                    thing.bytes(2, field("things", 2, type: 11, label: 3))
                    thing.bytes(2, field("sizes", 3, type: 13, label: 3))
                    thing.bytes(4, enumeration("Kind", ("KIND_ODD", .max)))
                }
            )
            file.bytes(
                6,
                message { service in
                    service.text(1, "Things")
                    service.bytes(2, method("Watch", serverStreams: true))
                }
            )
        }
        let read = try FileDefinition(serialized: bytes)
        #expect(read.name == "a/b.proto" && read.package == "a.b" && read.dependencies == ["c.proto"])
        let thing = try #require(read.messages.first)
        #expect(thing.fullName == "a.b.Thing")
        #expect(
            thing.fields.map(\.fullName) == [
                "a.b.Thing.wall_unix_nanos", "a.b.Thing.things", "a.b.Thing.sizes",
            ]
        )
        #expect(thing.fields.map(\.jsonName) == ["wallUnixNanos", "things", "sizes"])
        #expect(thing.fields.map(\.kind) == [.int64, .message("a.b.Thing"), .uint32])
        #expect(thing.fields.map(\.isPacked) == [false, false, true])
        #expect(thing.fields.allSatisfy { !$0.hasPresence })
        let kind = try #require(thing.enums.first)
        #expect(kind.fullName == "a.b.Thing.Kind" && kind.values.map(\.number) == [-1])
        let watch = try #require(read.services.first?.methods.first)
        #expect(watch.fullName == "a.b.Things.Watch" && watch.input == "a.b.Thing")
        #expect(watch.serverStreams && !watch.clientStreams)
    }

    @Test(arguments: [
        ("proto3", false, true), ("", true, false), ("proto2", true, false), ("editions", true, true),
    ])
    func presenceAndPackingFollowTheSyntax(syntax: String, hasPresence: Bool, isPacked: Bool) throws {
        let bytes = file(syntax: syntax) { file in
            file.bytes(
                4,
                message { thing in
                    thing.text(1, "Thing")
                    thing.bytes(2, field("one", 1))
                    thing.bytes(2, field("many", 2, label: 3))
                }
            )
        }
        let fields = try #require(try FileDefinition(serialized: bytes).messages.first?.fields)
        #expect(fields[0].hasPresence == hasPresence && !fields[1].hasPresence)
        #expect(fields[1].isPacked == isPacked)
    }

    @Test func aOneofThatStandsForOptionalIsNoChoice() throws {
        let bytes = Self.thing("A") { thing in
            thing.bytes(2, field("f", 1) + message { $0.varint(9, 0) })
            thing.bytes(2, field("g", 2) + message { $0.varint(9, 1) } + message { $0.varint(17, 1) })
            for name in ["choice", "_g"] { thing.bytes(8, message { $0.text(1, name) }) }
        }
        let fields = try FileDefinition(serialized: bytes).messages[0].fields
        #expect(fields.map(\.oneof) == [0, nil] && fields.map(\.syntheticOneof) == [nil, 1])
        #expect(fields.map(\.isOptional) == [false, true] && fields.allSatisfy(\.hasPresence))
    }

    @Test func rangesEndBeforeTheirEnd() throws {
        let range = message { $0.varint(1, 5) } + message { $0.varint(2, 8) }
        let bytes = Self.thing("A") { thing in
            thing.bytes(5, range)
            thing.bytes(9, range)
        }
        let message = try FileDefinition(serialized: bytes).messages[0]
        #expect(message.extensionRanges == [5...7] && message.reservedRanges == [5...7])
    }

    // MARK: - Hostile files

    /// A file with one message.
    private static func thing(_ name: String, _ build: (inout WireWriter) -> Void = { _ in }) -> [UInt8] {
        file { file in
            file.bytes(
                4,
                message { thing in
                    thing.text(1, name)
                    build(&thing)
                }
            )
        }
    }

    @Test(
        arguments: [
            ([0x0a], .malformed(WireError(.truncated, offset: 1))),
            ([], .badName(of: "file")),
            (file("a\u{1b}[2J.proto"), .badName(of: "file")),
            (message { $0.bytes(1, [0xff]) }, .badName(of: "file")),
            (thing(""), .badName(of: "message")),
            (thing("no name"), .badName(of: "message")),
            (thing("\u{9b}2J"), .badName(of: "message")),
            (thing("A") { $0.bytes(2, []) }, .badName(of: "field")),
            (thing("A") { $0.bytes(2, field("f", 0)) }, .badNumber(of: "a.b.A.f")),
            (thing("A") { $0.bytes(2, field("f", 1 << 29)) }, .badNumber(of: "a.b.A.f")),
            (thing("A") { $0.bytes(2, field("f", .max)) }, .badNumber(of: "a.b.A.f")),
            (thing("A") { $0.bytes(2, field("f", 1, type: 0)) }, .badType(of: "a.b.A.f")),
            // A group without a type's name; a oneof that is not there.
            (thing("A") { $0.bytes(2, field("f", 1, type: 10)) }, .badName(of: "type")),
            (
                thing("A") { $0.bytes(2, field("f", 1) + message { $0.varint(9, 7) }) },
                .badNumber(of: "a.b.A.f")
            ),
            (
                thing("A") { $0.bytes(9, message { $0.varint(1, 5) } + message { $0.varint(2, 5) }) },
                .badNumber(of: "a.b.A")
            ),
        ] as [([UInt8], DefinitionError)]
    )
    func brokenFilesAreATypedError(bytes: [UInt8], expected: DefinitionError) {
        #expect(throws: expected) { try FileDefinition(serialized: bytes) }
    }

    private func nested(_ depth: Int) -> [UInt8] {
        var inner: [UInt8] = []
        for _ in 0..<depth {
            inner = message { message in
                message.text(1, "M")
                if !inner.isEmpty { message.bytes(3, inner) }
            }
        }
        return file { $0.bytes(4, inner) }
    }

    @Test func depthSizeAndNumberAreBounded() throws {
        _ = try FileDefinition(serialized: nested(FileDefinition.depthLimit))
        #expect(throws: DefinitionError.tooDeep(limit: 32)) {
            try FileDefinition(serialized: nested(FileDefinition.depthLimit + 1))
        }
        #expect(throws: DefinitionError.tooDeep(limit: 32)) {
            try FileDefinition(serialized: nested(10_000))
        }
        let large = [UInt8](repeating: 0, count: FileDefinition.sizeLimit + 1)
        #expect(throws: DefinitionError.tooLarge(limitBytes: FileDefinition.sizeLimit)) {
            try FileDefinition(serialized: large)
        }
        // An unknown field of two bytes, again and again.
        let many = Array(
            repeatElement([0x78, 0] as [UInt8], count: FileDefinition.elementLimit + 1).joined()
        )
        #expect(throws: DefinitionError.tooManyElements(limit: FileDefinition.elementLimit)) {
            try FileDefinition(serialized: many)
        }
    }

    /// What is shown to people moves no cursor.
    @Test func commentsAreCleaned() throws {
        let location = message { location in
            location.bytes(1, [4, 0])
            location.text(3, " One.\u{1b}[2J\r\n\n   Two.\r\n \n")
            location.text(4, " After.\n")
        }
        let package = message { location in
            location.bytes(1, [2])
            location.text(3, "Of the package.")
        }
        let nowhere = message { $0.bytes(1, [9, 9]) } + message { $0.text(3, "x") }
        let information = message { information in
            for place in [location, package, nowhere] { information.bytes(1, place) }
        }
        let bytes = Self.thing("A") + message { $0.bytes(9, information) }
        let file = try FileDefinition(serialized: bytes)
        #expect(file.messages[0].comment == "One.[2J\n\n  Two.\n\nAfter.")
        #expect(file.comment == "Of the package.")
    }
}
