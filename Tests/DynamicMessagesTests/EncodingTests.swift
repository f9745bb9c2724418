// SPDX-License-Identifier: Apache-2.0
import DynamicMessages
import JSON
import Testing

/// JSON to bytes. The golden bytes are what Python's protobuf makes of the same text.
struct EncodingTests {
    @Test(arguments: [
        // Tag 1 with a fixed64, tag 2 with a fixed32; what has no presence and is zero is not written, a negative zero is.
        ("Scalars", #"{"doubleValue": 1.5, "floatValue": 0.25}"#, "09000000000000f83f150000803e"),
        (
            "Scalars",
            #"{"doubleValue": 0, "int32Value": 0, "boolValue": false, "stringValue": "", "mood": 0}"#, ""
        ),
        ("Scalars", #"{"doubleValue": -0.0}"#, "090000000000000080"),
        ("Scalars", #"{"doubleValue": "NaN", "floatValue": "-Infinity"}"#, "09000000000000f87f15000080ff"),
        ("Scalars", #"{"doubleValue": "1.5e3", "floatValue": "Infinity"}"#, "090000000000709740150000807f"),
        // A negative int32 takes ten bytes, a sint32 is zigzagged.
        ("Scalars", #"{"int32Value": -1, "sint32Value": -1}"#, "18ffffffffffffffffff013801"),
        (
            "Scalars", #"{"int32Value": "2147483647", "int64Value": "-9223372036854775808"}"#,
            "18ffffffff072080808080808080808001"
        ),
        ("Scalars", #"{"int32Value": 1e3, "int64Value": 1.0, "uint32Value": "2e1"}"#, "18e80720012814"),
        (
            "Scalars", #"{"uint32Value": 4294967295, "uint64Value": "18446744073709551615"}"#,
            "28ffffffff0f30ffffffffffffffffff01"
        ),
        (
            "Scalars", #"{"sint32Value": -2147483648, "sint64Value": "9223372036854775807"}"#,
            "38ffffffff0f40feffffffffffffffff01"
        ),
        (
            "Scalars",
            #"{"fixed32Value": 7, "fixed64Value": "8", "sfixed32Value": -9, "sfixed64Value": -10}"#,
            "4d070000005108000000000000005df7ffffff61f6ffffffffffffff"
        ),
        ("Scalars", #"{"boolValue": true, "stringValue": "hé\u0000"}"#, "6801720468c3a900"),
        // Base64 of both alphabets, padded and not.
        ("Scalars", #"{"bytesValue": "+/8="}"#, "7a02fbff"),
        ("Scalars", #"{"bytesValue": "-_8"}"#, "7a02fbff"),
        ("Scalars", #"{"mood": "MOOD_FINE"}"#, "800101"),
        ("Scalars", #"{"mood": -2}"#, "8001feffffffffffffffff01"),
        ("Scalars", #"{"mood": 77}"#, "80014d"),
        // A field's own name, and its JSON name; fields are written in the order of their numbers.
        ("Scalars", #"{"string_value": "s", "int32_value": 1}"#, "1801720173"),
        ("Scalars", #"{"other name": "a"}"#, "8a010161"),
        ("Scalars", #"{"renamed": "a"}"#, "8a010161"),
        ("Scalars", #"{"int32Value": null}"#, ""),

        // Packed where the definition does not say otherwise; texts and messages never are.
        (
            "Lists",
            #"{"doubles": [1, "NaN"], "sint64s": ["-1", 1], "fixed32s": [1], "flags": [true, false]}"#,
            "0a10000000000000f03f000000000000f87f120201021a040100000022020100"
        ),
        (
            "Lists",
            #"{"texts": ["a", ""], "blobs": ["AA=="], "moods": ["MOOD_BAD", 1], "scalars": [{}, {"int32Value": 1}]}"#,
            "2a01612a003201003a0bfeffffffffffffffff0101420042021801"
        ),
        ("Lists", #"{"unpacked": [1, -1]}"#, "480148ffffffffffffffffff01"),
        ("Lists", #"{"doubles": [], "texts": null}"#, ""),

        // An entry has both of its fields, defaults included.
        (
            "Maps", #"{"texts": {"": "b"}, "byInt32": {"-5": false}, "bySint64": {"-3": 0}}"#,
            "0a050a00120162120d08fbffffffffffffffff0110001a0b0805110000000000000000"
        ),
        (
            "Maps",
            #"{"byUint64": {"18446744073709551615": "MOOD_GOOD"}, "byFixed32": {"7": ""}, "byFlag": {"true": {}}}"#,
            "220d08ffffffffffffffffff0110012a070d070000001200320408011200"
        ),

        // What has presence is written even when it is zero.
        ("Choices", #"{"number": 0, "text": "", "mood": 0, "scalars": {}}"#, "0800120018002200"),
        ("Choices", #"{"number": null, "scalars": null}"#, ""),
        ("Choices", #"{"choiceText": ""}"#, "5a00"),
        ("Choices", #"{"choiceNumber": "0", "choiceText": null}"#, "6000"),
        ("Choices", #"{"choiceScalars": {"boolValue": true}}"#, "6a026801"),
        ("Choices", #"{"choiceNull": null}"#, "7000"),
        ("Choices", #"{"choiceNull": "NULL_VALUE"}"#, "7000"),

        (
            "Tree", #"{"name": "a", "children": [{"name": "b", "only": {}}], "leaf": {"colour": "red"}}"#,
            "0a016112050a01621a0022050a03726564"
        ),
    ])
    func fieldsAreWrittenAsProtobufHasThem(type: String, json: String, golden: String) throws {
        #expect(hex(try serialize(type, json)) == golden)
    }

    @Test(arguments: [
        ("Known", #"{"time": "1970-01-01T00:00:00Z"}"#, "0a00"),
        ("Known", #"{"time": "2026-11-23T15:00:00.5Z"}"#, "0a0c08f0a991d8061080cab5ee01"),
        ("Known", #"{"time": "2026-11-23T15:00:00.123456789+05:30"}"#, "0a0b08988f90d80610959aef3a"),
        ("Known", #"{"time": "0001-01-01T00:00:00Z"}"#, "0a0b088092b8c398feffffff01"),
        ("Known", #"{"time": "9999-12-31T23:59:59.999999999Z"}"#, "0a0d08ff82d1ffaf0710ff93ebdc03"),
        ("Known", #"{"time": "1969-12-31T23:59:59.500Z"}"#, "0a1108ffffffffffffffffff011080cab5ee01"),
        ("Known", #"{"time": "2000-02-29T12:00:00Z"}"#, "0a0608c0e9eec503"),
        ("Known", #"{"span": "1.5s"}"#, "120808011080cab5ee01"),
        ("Known", #"{"span": "-0.000000001s"}"#, "120b10ffffffffffffffffff01"),
        ("Known", #"{"span": "-315576000000s"}"#, "120b0880c4d1b1e8f6ffffff01"),
        ("Known", #"{"empty": {}}"#, "2200"),
        ("Known", #"{"mask": "a.fooBar,n1"}"#, "420f0a09612e666f6f5f6261720a026e31"),
        ("Known", #"{"mask": ""}"#, "4200"),
        (
            "Known", #"{"object": {"a": [1, null, "x", {"b": true}]}}"#,
            "2a2a0a280a0161122332210a0911000000000000f03f0a0208000a031a01780a0b2a090a070a016212022001"
        ),
        ("Known", #"{"value": null}"#, "32020800"),
        ("Known", #"{"value": 1.5}"#, "320911000000000000f83f"),
        ("Known", #"{"value": {}}"#, "32022a00"),
        ("Known", #"{"list": [[], "x"]}"#, "3a090a0232000a031a0178"),
        ("Known", #"{"null": null}"#, ""),
        (
            "Known",
            #"{"doubleValue": 0, "floatValue": 0.5, "int64Value": "-1", "uint64Value": "1", "int32Value": 2}"#,
            "5a0062050d0000003f6a0b08ffffffffffffffffff01720208017a020802"
        ),
        (
            "Known", #"{"uint32Value": 3, "boolValue": false, "stringValue": "s", "bytesValue": "AQI="}"#,
            "82010208038a01009201030a01739a01040a020102"
        ),
        ("Known", #"{"stringValue": null}"#, ""),
        (
            "Known",
            #"{"times": ["1970-01-01T00:00:01Z"], "values": [null, 1], "spans": {"a": "1s"}, "valuesByName": {"b": null}}"#,
            "aa01020801b201020800b2010911000000000000f03fba01070a016112020801c201070a016212020800"
        ),
        ("Known", #"{"any": {}}"#, "1a00"),
        (
            "Known", #"{"any": {"@type": "type.googleapis.com/petrel.dynamic.v1.Scalars", "int32Value": 5}}"#,
            "1a330a2d747970652e676f6f676c65617069732e636f6d2f70657472656c2e64796e616d69632e76312e5363616c61727312021805"
        ),
        (
            "Known", #"{"any": {"int32Value": 5, "@type": "x/petrel.dynamic.v1.Scalars"}}"#,
            "1a210a1b782f70657472656c2e64796e616d69632e76312e5363616c61727312021805"
        ),
        (
            "Known", #"{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.5s"}}"#,
            "1a380a2c747970652e676f6f676c65617069732e636f6d2f676f6f676c652e70726f746f6275662e4475726174696f6e120808011080cab5ee01"
        ),
        (
            "Known", #"{"any": {"@type": "type.googleapis.com/google.protobuf.Empty"}}"#,
            "1a2b0a29747970652e676f6f676c65617069732e636f6d2f676f6f676c652e70726f746f6275662e456d707479"
        ),
        (
            "Known", #"{"any": {"@type": "type.googleapis.com/google.protobuf.Value", "value": [1]}}"#,
            "1a3a0a29747970652e676f6f676c65617069732e636f6d2f676f6f676c652e70726f746f6275662e56616c7565120d320b0a0911000000000000f03f"
        ),
        (
            "Known",
            #"{"anys": [{"@type": "a/petrel.dynamic.v1.Known", "any": {"@type": "b/petrel.dynamic.v1.Tree", "name": "x"}}]}"#,
            "ca013e0a19612f70657472656c2e64796e616d69632e76312e4b6e6f776e12211a1f0a18622f70657472656c2e64796e616d69632e76312e5472656512030a0178"
        ),
    ])
    func wellKnownTypesHaveTheirOwnJSON(type: String, json: String, golden: String) throws {
        #expect(hex(try serialize(type, json)) == golden)
    }

    @Test(arguments: [
        ("Scalars", "[]", "expected an object, found an array"),
        ("Scalars", #"{"nothing": 1}"#, "nothing: petrel.dynamic.v1.Scalars has no such field"),
        (
            "Scalars", #"{"int32Value": 2147483648}"#,
            "int32Value: expected a whole number from -2147483648 to 2147483647, found 2147483648"
        ),
        (
            "Scalars", #"{"uint32Value": -1}"#,
            "uint32Value: expected a whole number from 0 to 4294967295, found -1"
        ),
        (
            "Scalars", #"{"uint64Value": 18446744073709551615}"#,
            "uint64Value: expected a whole number from 0 to 18446744073709551615, "
                + "in quotes above 9223372036854775807, found 1.8446744073709552e+19"
        ),
        (
            "Scalars", #"{"doubleValue": "inf"}"#,
            #"doubleValue: expected a number, "NaN", "Infinity" or "-Infinity", found the string "inf""#
        ),
        (
            "Scalars", #"{"boolValue": "true"}"#,
            #"boolValue: expected true or false, found the string "true""#
        ),
        ("Scalars", #"{"stringValue": 1}"#, "stringValue: expected a string, found 1"),
        (
            "Scalars", #"{"mood": "MOOD_GOD"}"#, "mood: petrel.dynamic.v1.Mood has no value 'MOOD_GOD'"
        ),
        ("Scalars", #"{"int32Value": 1, "int32_value": 2}"#, "int32_value: the field is given twice"),
        ("Lists", #"{"texts": {}}"#, "texts: expected an array, found an object"),
        ("Lists", #"{"texts": ["a", null]}"#, "texts[1]: expected a string, found null"),
        (
            "Lists", #"{"scalars": [{}, {"mood": true}]}"#,
            "scalars[1].mood: expected a whole number from -2147483648 to 2147483647, found a boolean"
        ),
        ("Maps", #"{"texts": {"a": 1}}"#, "texts.a: expected a string, found 1"),
        (
            "Maps", #"{"byInt32": {"x": true}}"#,
            #"byInt32.x: expected a whole number from -2147483648 to 2147483647, found the string "x""#
        ),
        ("Maps", #"{"byFlag": {"1": {}}}"#, #"byFlag.1: expected true or false, found the string "1""#),
        ("Maps", #"{"byFlag": {"true": null}}"#, "byFlag.true: expected an object, found null"),
        (
            "Choices", #"{"choiceText": "a", "choice_number": 1}"#,
            "choice_number: of the oneof body, choiceText is given already"
        ),
        (
            "Known", #"{"span": "1"}"#, #"span: expected a span such as "1.5s", found the string "1""#
        ),
        ("Known", #"{"empty": {"a": 1}}"#, "empty.a: google.protobuf.Empty has no such field"),
        (
            "Known", #"{"any": {"@type": "x/nope.Nope"}}"#, "any: the definition of nope.Nope is not known"
        ),
        (
            "Known", #"{"any": {"@type": "x/google.protobuf.Duration", "value": "1s", "more": 1}}"#,
            "any.more: google.protobuf.Duration has no such field"
        ),
        (
            "Known", #"{"any": {"@type": "x/google.protobuf.Int32Value", "value": "x"}}"#,
            "any.value: expected a whole number from -2147483648 to 2147483647, found the string \"x\""
        ),
        (
            "Known", #"{"any": {"value": 1}}"#,
            #"any.@type: expected a type such as "type.googleapis.com/google.protobuf.Empty", found null"#
        ),
        ("Missing", "{}", "the definition of petrel.dynamic.v1.Missing is not known"),
        // What a message's own texts have in them moves no cursor.
        ("Maps", #"{"texts": {"a\u001b[2J": 1}}"#, "texts.a?[2J: expected a string, found 1"),
    ])
    func mistakesAreToldWithTheirPlace(type: String, json: String, expected: String) {
        #expect(refusal { try serialize(type, json) } == expected)
    }

    @Test(arguments: [
        "+5", "05", " 5", "5 ", "", "5.", ".5", "1e", "0x5", "5_0", "1.5", "-", "１",
    ])
    func otherTextsAreNoWholeNumbers(text: String) {
        #expect(throws: (any Error).self) {
            try pool.serialize(["int64Value": .string(text)], as: full("Scalars"))
        }
    }

    @Test(arguments: ["A", "A===", "AAE==", "A A=", "AAE=A", "AA=", "=", "AA\u{e4}"])
    func otherTextsAreNotBase64(text: String) {
        #expect(throws: (any Error).self) {
            try pool.serialize(["bytesValue": .string(text)], as: full("Scalars"))
        }
    }

    @Test(arguments: [
        "2026-11-23", "2026-11-23T15:00:00", "2026-11-23 15:00:00Z", "2026-11-23t15:00:00z",
        "2026-11-23T24:00:00Z", "2026-11-23T15:60:00Z", "2026-11-23T15:00:60Z", "2026-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
        "2026-11-23T15:00:00.Z", "2026-11-23T15:00:00.1234567890Z", "2026-11-23T15:00:00+1:00", "",
    ])
    func otherTextsAreNoMoments(text: String) {
        #expect(throws: (any Error).self) {
            try pool.serialize(["time": .string(text)], as: full("Known"))
        }
    }

    @Test(arguments: [
        "", "s", "1", "1.s", ".5s", "+1s", "1 s", "--1s", "315576000001s", "315576000000.1s",
        "1.0000000001s", "99999999999999999999s",
    ])
    func otherTextsAreNoSpans(text: String) {
        #expect(throws: (any Error).self) {
            try pool.serialize(["span": .string(text)], as: full("Known"))
        }
    }

    @Test(arguments: ["a,", ",a", "a,,b", "foo_bar", "a b"])
    func otherTextsAreNoMasks(text: String) {
        #expect(throws: (any Error).self) {
            try pool.serialize(["mask": .string(text)], as: full("Known"))
        }
    }

    // MARK: - Depth

    private func tree(depth: Int) -> JSON {
        var tree: JSON = [:]
        for _ in 1..<depth { tree = ["only": tree] }
        return tree
    }

    @Test func oneHundredMessagesMayBeWithinEachOther() throws {
        let bytes = try pool.serialize(tree(depth: 100), as: full("Tree"))
        expect(try pool.json(of: bytes, as: full("Tree")) == tree(depth: 100))
        let error = refusal { try pool.serialize(tree(depth: 101), as: full("Tree")) }
        #expect(error.hasSuffix(".only: nested deeper than 100 messages"))
    }

    @Test func jsonWithinAMessageCountsToo() throws {
        var value: JSON = 1
        for _ in 0..<60 { value = ["a": value] }
        let error = refusal { try pool.serialize(["value": value], as: full("Known")) }
        #expect(error.hasSuffix("nested deeper than 100 messages"))
        var any: JSON = ["@type": "x/google.protobuf.Any", "value": [:]]
        for _ in 0..<100 { any = ["@type": "x/google.protobuf.Any", "value": any] }
        #expect(
            refusal { try pool.serialize(["any": any], as: full("Known")) }.hasSuffix(
                "nested deeper than 100 messages"
            )
        )
    }
}

/// `#expect` for what throws.
func expect(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}
