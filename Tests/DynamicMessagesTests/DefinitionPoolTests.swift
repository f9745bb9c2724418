// SPDX-License-Identifier: Apache-2.0
import Definitions
import DynamicMessages
import JSON
import Testing

struct DefinitionPoolTests {
    private func text(_ name: String) throws -> String {
        pool.text(of: try #require(pool.symbol(full(name)), "\(name)"))
    }

    @Test func aServiceIsShownAsItsDefinitionHasIt() throws {
        #expect(
            try text("Caller") == """
                // petrel.dynamic.v1.Caller, from petrel/dynamic/v1/dynamic.proto

                // Each kind of call.
                //
                // The second paragraph.
                service Caller {
                  // One, and one.
                  rpc Unary(petrel.dynamic.v1.Scalars) returns (petrel.dynamic.v1.Lists) \
                { option idempotency_level = IDEMPOTENT; }
                  rpc Watch(petrel.dynamic.v1.Scalars) returns (stream petrel.dynamic.v1.Lists);
                  rpc Upload(stream petrel.dynamic.v1.Scalars) returns (petrel.dynamic.v1.Lists);
                  rpc Talk(stream petrel.dynamic.v1.Scalars) returns (stream google.protobuf.Empty) \
                { option deprecated = true; option idempotency_level = NO_SIDE_EFFECTS; }
                }
                """
        )
    }

    @Test(arguments: ["Caller.Unary", "Caller/Unary"]) func soIsAMethod(name: String) throws {
        #expect(
            try text(name) == """
                // petrel.dynamic.v1.Caller.Unary, from petrel/dynamic/v1/dynamic.proto

                // One, and one.
                rpc Unary(petrel.dynamic.v1.Scalars) returns (petrel.dynamic.v1.Lists) \
                { option idempotency_level = IDEMPOTENT; }
                """
        )
    }

    /// Also by the name of a value.
    @Test(arguments: ["Mood", "MOOD_FINE"]) func soIsAnEnum(name: String) throws {
        #expect(
            try text(name) == """
                // petrel.dynamic.v1.Mood, from petrel/dynamic/v1/dynamic.proto

                enum Mood {
                  option allow_alias = true;
                  MOOD_UNSPECIFIED = 0;
                  // Better than none.
                  MOOD_GOOD = 1;
                  MOOD_FINE = 1;
                  MOOD_BAD = -2;
                }
                """
        )
    }

    /// Also by the name of a field.
    @Test(arguments: ["Tree", "Tree.children"]) func soIsAMessageWithAllThatIsInIt(name: String) throws {
        #expect(
            try text(name) == """
                // petrel.dynamic.v1.Tree, from petrel/dynamic/v1/dynamic.proto

                // Contains itself.
                message Tree {
                  string name = 1 [deprecated = true];
                  repeated petrel.dynamic.v1.Tree children = 2;
                  petrel.dynamic.v1.Tree only = 3;
                  petrel.dynamic.v1.Tree.Leaf leaf = 4;
                  petrel.dynamic.v1.Tree.Leaf.Shape shape = 5;
                  reserved 7, 9 to 11;
                  reserved "old", "older";

                  message Leaf {
                    string colour = 1;

                    enum Shape {
                      SHAPE_UNSPECIFIED = 0;
                    }
                  }
                }
                """
        )
    }

    @Test func mapsOneofsPresenceAndOptionsAreShown() throws {
        #expect(try text("Maps").contains("\n  map<uint64, petrel.dynamic.v1.Mood> by_uint64 = 4;\n"))
        #expect(!(try text("Maps").contains("Entry")))
        #expect(try text("Lists").contains("\n  repeated int32 unpacked = 9 [packed = false];\n"))
        #expect(try text("Scalars").contains(#"string renamed = 17 [json_name = "other name"];"#))
        let choices = try text("Choices")
        #expect(choices.contains("\n  optional int32 number = 1;\n"))
        #expect(choices.contains("\n  oneof body {\n    string choice_text = 11;\n"))
        #expect(!choices.contains("oneof _number"))
        #expect(try text("Nothing").hasSuffix("\nmessage Nothing {}"))
    }

    @Test func namesAreThoseThatCanBeDescribed() {
        #expect(pool.names.contains(full("Caller.Watch")) && pool.names.contains(full("Tree.Leaf.Shape")))
        #expect(!pool.names.contains(full("Tree.children")) && !pool.names.contains(full("MOOD_FINE")))
        #expect(pool.symbol("petrel.dynamic.v1.None") == nil && pool.symbol("") == nil)
        #expect(pool.services.map(\.fullName) == [full("Caller")])
        #expect(pool.missingFiles.count == 7 && pool.missingFiles.first == "google/protobuf/any.proto")
    }

    /// proto2: `optional` and defaults are shown, lists are not packed by themselves, and an extension has its extendee.
    @Test func olderDefinitionsAreShownToo() throws {
        var field = WireWriter()
        field.text(1, "limit")
        field.varint(3, 1)
        field.varint(4, 1)
        field.varint(5, 9)
        field.text(7, "a\"\n")
        var list = WireWriter()
        list.text(1, "numbers")
        list.varint(3, 2)
        list.varint(4, 3)
        list.varint(5, 5)
        var message = WireWriter()
        message.text(1, "Old")
        message.bytes(2, field.bytes)
        message.bytes(2, list.bytes)
        var more = WireWriter()
        more.text(1, "more")
        more.text(2, ".old.Old")
        more.varint(3, 100)
        more.varint(4, 1)
        more.varint(5, 8)
        var file = WireWriter()
        file.text(1, "old.proto")
        file.text(2, "old")
        file.bytes(4, message.bytes)
        file.bytes(7, more.bytes)
        var pool = DefinitionPool()
        try pool.add(serialized: file.bytes)
        let old = try #require(pool.symbol("old.Old"))
        #expect(
            pool.text(of: old).hasSuffix(
                """
                message Old {
                  optional string limit = 1 [default = "a\\"?"];
                  repeated int32 numbers = 2;
                }
                """
            )
        )
        let extra = try #require(pool.symbol("old.more"))
        #expect(pool.text(of: extra).hasSuffix("extend old.Old {\n  optional bool more = 100;\n}"))
        // Not packed, and with presence.
        #expect(hex(try pool.serialize(["numbers": [1, 2], "limit": ""], as: "old.Old")) == "0a0010011002")
        #expect(throws: (any Error).self) { try pool.serialize(["old.more": true], as: "old.Old") }
    }

    @Test func filesThatDoNotGoTogetherAreRefused() throws {
        var pool = DefinitionPool()
        for file in try dynamicFiles() { try pool.add(serialized: file) }
        // The same name again is the same file.
        for file in try dynamicFiles() { try pool.add(serialized: file) }
        var message = WireWriter()
        message.text(1, "Tree")
        var file = WireWriter()
        file.text(1, "other.proto")
        file.text(2, "petrel.dynamic.v1")
        file.bytes(4, message.bytes)
        #expect(
            throws: DefinitionError.declaredTwice(
                symbol: full("Tree"),
                files: ["petrel/dynamic/v1/dynamic.proto", "other.proto"]
            )
        ) { try pool.add(serialized: file.bytes) }
        #expect(pool.symbol(full("Tree.Leaf")) != nil)
    }
}
