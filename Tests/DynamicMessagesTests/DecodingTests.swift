// SPDX-License-Identifier: Apache-2.0
import DynamicMessages
import JSON
import Testing

/// Bytes to JSON.
struct DecodingTests {
    @Test(arguments: [
        ("Scalars", "", "{}"),
        ("Scalars", "09000000000000f83f150000803e", #"{"doubleValue":1.5,"floatValue":0.25}"#),
        // As few digits as tell a float from its neighbours.
        ("Scalars", "15cdcccc3d", #"{"floatValue":0.1}"#),
        ("Scalars", "09000000000000f87f150000807f", #"{"doubleValue":"NaN","floatValue":"Infinity"}"#),
        ("Scalars", "09000000000000f0ff", #"{"doubleValue":"-Infinity"}"#),
        ("Scalars", "090000000000000080", #"{"doubleValue":-0.0}"#),
        ("Scalars", "18ffffffffffffffffff01", #"{"int32Value":-1}"#),
        ("Scalars", "2080808080808080808001", #"{"int64Value":"-9223372036854775808"}"#),
        ("Scalars", "28ffffffff0f", #"{"uint32Value":4294967295}"#),
        ("Scalars", "30ffffffffffffffffff01", #"{"uint64Value":"18446744073709551615"}"#),
        ("Scalars", "380140feffffffffffffffff01", #"{"sint32Value":-1,"sint64Value":"9223372036854775807"}"#),
        ("Scalars", "4d07000000510800000000000000", #"{"fixed32Value":7,"fixed64Value":"8"}"#),
        (
            "Scalars", "5df7ffffff61f6ffffffffffffff",
            #"{"sfixed32Value":-9,"sfixed64Value":"-10"}"#
        ),
        (
            "Scalars", "6801720468c3a9007a02fbff",
            #"{"boolValue":true,"stringValue":"hé\u0000","bytesValue":"+/8="}"#
        ),
        // The first name of a number, and a number that has none.
        ("Scalars", "800101", #"{"mood":"MOOD_GOOD"}"#),
        ("Scalars", "80014d", #"{"mood":77}"#),
        ("Scalars", "8a010161", #"{"other name":"a"}"#),
        // The last one counts; unknown fields, groups and other wire types are left out.
        ("Scalars", "18011802", #"{"int32Value":2}"#),
        ("Scalars", "1801b83e05c2bb0203abcdef", #"{"int32Value":1}"#),
        ("Scalars", "a303 0801 ac03 1801", "malformed message: byte 4: a group ends that did not begin"),
        ("Scalars", "a303 0801 a403 1801", #"{"int32Value":1}"#),
        ("Scalars", "1d01000000", "{}"),

        // Packed and not, for every list of numbers.
        ("Lists", "0a10000000000000f03f000000000000f87f", #"{"doubles":[1.0,"NaN"]}"#),
        ("Lists", "09000000000000f03f", #"{"doubles":[1.0]}"#),
        ("Lists", "4801480248ffffffffffffffffff01", #"{"unpacked":[1,2,-1]}"#),
        ("Lists", "4a020102", #"{"unpacked":[1,2]}"#),
        ("Lists", "220201002001", #"{"flags":[true,false,true]}"#),
        ("Lists", "3a0101420042021801", #"{"moods":["MOOD_GOOD"],"scalars":[{},{"int32Value":1}]}"#),
        ("Lists", "2a0161 2a00 320100", #"{"texts":["a",""],"blobs":["AA=="]}"#),

        // An entry's missing half is its default; the later of two entries with one key counts.
        ("Maps", "0a060a0161120162 0a00", #"{"texts":{"a":"b","":""}}"#),
        ("Maps", "0a060a0161120162 0a060a0161120163", #"{"texts":{"a":"c"}}"#),
        ("Maps", "120d08fbffffffffffffffff011000", #"{"byInt32":{"-5":false}}"#),
        ("Maps", "1a02 0805 2202 0801", #"{"bySint64":{"-3":0.0},"byUint64":{"1":"MOOD_UNSPECIFIED"}}"#),
        ("Maps", "32020801", #"{"byFlag":{"true":{}}}"#),

        // Presence: what is there is shown even when it is zero.
        ("Choices", "0800120018002200", #"{"number":0,"text":"","mood":"MOOD_UNSPECIFIED","scalars":{}}"#),
        ("Choices", "5a0161 6005", #"{"choiceNumber":"5"}"#),
        ("Choices", "6005 5a0161", #"{"choiceText":"a"}"#),
        ("Choices", "7000", #"{"choiceNull":null}"#),
        ("Choices", "7800", #"{"choiceFlag":false}"#),
        // Two parts of one message are merged.
        ("Tree", "1a030a0161 1a0422020a00 1a03 0a0162", #"{"only":{"name":"b","leaf":{}}}"#),
    ])
    func fieldsAreRead(type: String, bytes hex: String, expected: String) {
        let text = (try? render(type, bytes(hex))) ?? refusal { try render(type, bytes(hex)) }
        #expect(text == expected)
    }

    @Test(arguments: [
        ("0a00", #"{"time":"1970-01-01T00:00:00Z"}"#),
        ("0a0c08f0a991d8061080cab5ee01", #"{"time":"2026-11-23T15:00:00.500Z"}"#),
        ("0a0d08ffffffffffffffffff0110 01", #"{"time":"1969-12-31T23:59:59.000000001Z"}"#),
        ("0a0b08 8092b8c398feffffff01", #"{"time":"0001-01-01T00:00:00Z"}"#),
        // Outside the years that have a text, it is shown as it is.
        ("0a0b08ff91b8c398feffffff01", #"{"time":{"seconds":"-62135596801","nanos":0}}"#),
        ("0a0610 8094ebdc03", #"{"time":{"seconds":"0","nanos":1000000000}}"#),
        ("1200", #"{"span":"0s"}"#),
        ("120808 0110 80cab5ee01", #"{"span":"1.500s"}"#),
        ("120b10 ffffffffffffffffff01", #"{"span":"-0.000000001s"}"#),
        ("120d0801 10ffffffffffffffffff01", #"{"span":{"seconds":"1","nanos":-1}}"#),
        ("42080a016f0a03615f62", #"{"mask":"o,aB"}"#),
        ("42030a0141", #"{"mask":{"paths":["A"]}}"#),
        ("42040a02615f", #"{"mask":{"paths":["a_"]}}"#),
        ("1a00", #"{"any":{}}"#),
        (
            "1a00 1a1c0a18782f70657472656c2e64796e616d69632e76312e4e6f70651200",
            #"{"any":{"@type":"x/petrel.dynamic.v1.Nope","@value":""}}"#
        ),
        ("1a0a 0a03 782f79 1203 010203", #"{"any":{"@type":"x/y","@value":"AQID"}}"#),
        ("1a03 1201ff", #"{"any":{"@type":"","@value":"/w=="}}"#),
        ("2a00 3200 3a00", #"{"object":{},"value":null,"list":[]}"#),
        ("2a0b0a090a01611204 2a020a00", #"{"object":{"a":{"":null}}}"#),
        ("3209 11000000000000f87f", #"{"value":"NaN"}"#),
        ("3204 0800 2001", #"{"value":true}"#),
        ("48004801", #"{"null":1}"#),
        (
            "5a00 6200 6a00 7200 7a00",
            #"{"doubleValue":0.0,"floatValue":0.0,"int64Value":"0","uint64Value":"0","int32Value":0}"#
        ),
        (
            "820100 8a0100 920100 9a0100",
            #"{"uint32Value":0,"boolValue":false,"stringValue":"","bytesValue":""}"#
        ),
        ("820102 0805", #"{"uint32Value":5}"#),
    ])
    func wellKnownTypesHaveTheirOwnJSON(bytes hex: String, expected: String) {
        let text = (try? render("Known", bytes(hex))) ?? refusal { try render("Known", bytes(hex)) }
        #expect(text == expected)
    }

    @Test func defaultsAreShownOnlyWhereAsked() throws {
        #expect(
            try render("Choices", [], emitsDefaults: true) == "{}",
            "what has presence and is absent has no default to show"
        )
        #expect(
            try render("Tree", [], emitsDefaults: true)
                == #"{"name":"","children":[],"shape":"SHAPE_UNSPECIFIED"}"#
        )
        #expect(
            try render("Maps", [], emitsDefaults: true)
                == #"{"texts":{},"byInt32":{},"bySint64":{},"byUint64":{},"byFixed32":{},"byFlag":{}}"#
        )
        let scalars = try JSON(parsing: Array(render("Scalars", [], emitsDefaults: true).utf8))
        #expect(scalars["int64Value"] == "0" && scalars["bytesValue"] == "" && scalars["boolValue"] == false)
        #expect(scalars.object?.count == 17)
    }

    // MARK: - Hostile bytes

    @Test(arguments: [
        ("Scalars", "08", "malformed message: byte 1: ends within a field"),
        ("Scalars", "72ff01", "malformed message: byte 0: ends within a field"),
        ("Scalars", "7201ff", "stringValue: not UTF-8"),
        ("Lists", "2a0161 2a01ff", "texts[1]: not UTF-8"),
        ("Lists", "0a05 0000000000", "doubles: malformed message: byte 2: ends within a field"),
        ("Lists", "4202 1880", "scalars[0]: malformed message: byte 3: ends within a field"),
        ("Maps", "0a03 0a01ff", "texts: not UTF-8"),
        ("Maps", "0a06 0a0161 1201ff", "texts.a: not UTF-8"),
        ("Known", "2a08 0a06 0a0161 1201ff", "object.a: malformed message: byte 9: ends within a field"),
    ])
    func brokenBytesAreToldWithTheirPlace(type: String, bytes hex: String, expected: String) {
        #expect(refusal { try render(type, bytes(hex)) } == expected)
    }

    @Test func nestingIsBoundedHoweverDeepTheBytesAre() throws {
        var tree: [UInt8] = []
        while tree.count < 1 << 20 {
            var length: [UInt8] = []
            var rest = tree.count
            while rest >= 0x80 {
                length.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            tree = [0x1a] + length + [UInt8(rest)] + tree
            if tree.count > 20_000 { break }
        }
        #expect(refusal { try render("Tree", tree) }.hasSuffix("nested deeper than 100 messages"))
    }

    @Test func theNumberOfValuesIsBounded() {
        let most = DefinitionPool.valueLimit
        let packed = [0x22] + [0xc0, 0x84, 0x3d] + [UInt8](repeating: 1, count: most)
        #expect(refusal { try render("Lists", packed) } == "flags: more than \(most) values")
        let many = [UInt8](repeating: 0x2a, count: 1) + [0]
        let texts = Array(repeatElement(many, count: most + 1).joined())
        #expect(refusal { try render("Lists", texts) } == "more than \(most) values")
    }

    /// Whatever is in the bytes, the answer is JSON or a typed error.
    @Test(arguments: ["Scalars", "Lists", "Maps", "Choices", "Tree", "Known"])
    func anyBytesAreReadOrRefused(type: String) throws {
        var dice = Dice(state: 7)
        let seeds = try [
            serialize(
                "Known",
                #"{"any": {"@type": "x/petrel.dynamic.v1.Tree", "name": "x"}, "value": [1, {}]}"#
            ),
            serialize("Maps", #"{"texts": {"a": "b"}, "byFlag": {"true": {"int32Value": 5}}}"#),
            serialize("Tree", #"{"name": "a", "children": [{"only": {"name": "b"}}], "leaf": {}}"#),
            serialize("Lists", #"{"doubles": [1, 2], "texts": ["a"], "moods": [1], "scalars": [{}]}"#),
        ]
        for round in 0..<2000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &dice) {
                let place = Int.random(in: 0..<bytes.count, using: &dice)
                switch Int.random(in: 0..<3, using: &dice) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
                case 1 where bytes.count > 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &dice), at: place)
                }
            }
            do throws(MappingError) {
                _ = try pool.json(of: bytes, as: full(type), emitsDefaults: round % 2 == 0)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    /// What is shown, read again, gives the same bytes.
    @Test(arguments: [
        (
            "Scalars",
            #"{"doubleValue": 0.1, "floatValue": 3.4e38, "int64Value": "7", "mood": 9, "bytesValue": "/+8="}"#
        ),
        ("Lists", #"{"doubles": ["NaN", 5e-324], "texts": ["\u0000é😀"], "moods": [1, -2]}"#),
        ("Maps", #"{"texts": {"k": "v"}, "byUint64": {"5": 1}, "byFlag": {"false": {"other name": "x"}}}"#),
        ("Choices", #"{"number": 0, "choiceScalars": {}}"#),
        ("Known", #"{"time": "2026-11-23T15:00:00.000001Z", "span": "-1.5s", "value": {"a": [null]}}"#),
        (
            "Known",
            #"{"anys": [{"@type": "a/google.protobuf.Struct", "value": {"x": 1}}, {}], "mask": "aB.c"}"#
        ),
    ])
    func whatIsShownCanBeSentAgain(type: String, json: String) throws {
        let bytes = try serialize(type, json)
        #expect(try serialize(type, render(type, bytes)) == bytes)
    }
}
