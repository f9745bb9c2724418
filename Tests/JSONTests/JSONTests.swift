// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

struct JSONTests {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test(
        arguments: [
            ("null", JSON.null), ("true", true), (" -7 ", -7), ("1.5", 1.5), ("1e2", 100.0),
            (#""\u00e9\ud83d\ude00""#, "é😀"),
            ("[]", []), (#"{"b":1,"a":[{}]}"#, ["b": 1, "a": [[:]]]),
            ("9223372036854775807", .integer(.max)), ("18446744073709551615", .double(0x1p64)),
            ("[-9223372036854775808,-9223372036854775809]", [.integer(.min), .double(-0x1p63)]),
        ] as [(String, JSON)]
    )
    func textsBecomeValues(text: String, value: JSON) throws {
        #expect(try parse(text) == value)
    }

    @Test func keysKeepTheirOrder() throws {
        let value = try parse(#"{"z":1,"a":2,"m":{"y":0,"x":0}}"#)
        #expect(value.object?.keys == ["z", "a", "m"])
        #expect(value.serializedText() == #"{"z":1,"a":2,"m":{"y":0,"x":0}}"#)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1 2", "tru", "\"\u{1}\"", "{a:1}", "'a'", "[1}",
        #""\ud800""#, "\"",
        "1e999", "NaN", "-", "\"\\",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func errorsSayTheReasonAndThePlace() {
        let duplicate = #expect(throws: JSONError.self) { try parse("{\"a\":1,\n\"a\":2}") }
        #expect(duplicate?.reason == .duplicateKey)
        #expect(duplicate?.line == 2)
        let encoding = #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xc3, 0x28, 0x22]) }
        #expect(encoding?.reason == .encoding)
        let depth = #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
        #expect(depth?.reason == .tooDeep(limit: 64))
        #expect(depth?.offset == 64)
        let size = #expect(throws: JSONError.self) { try JSON(parsing: Array("[1,2]".utf8), maximumSize: 4) }
        #expect(size?.reason == .tooLarge(limitBytes: 4))
    }

    @Test func bracketsInStringsAreNoDepth() throws {
        let text = "\"" + String(repeating: "[\\\"{", count: 500) + "\""
        #expect(try parse(text).string?.count == 1500)
        #expect(
            try parse(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)).array?.count == 1
        )
    }

    @Test func everyStringSurvivesTheWayThere() throws {
        let value: JSON = [
            "a\"\\/\n\r\t\u{0}\u{1f}\u{7f}é😀": .string(
                String(decoding: 0...127 as ClosedRange<UInt8>, as: UTF8.self)
            )
        ]
        // A key cannot hold NUL in Jansson, a string can.
        #expect(throws: JSONError.self) { try JSON(parsing: value.serialized()) }
        let text = JSON.string(String(decoding: 0...127 as ClosedRange<UInt8>, as: UTF8.self))
        #expect(try JSON(parsing: text.serialized()) == text)
        #expect(try JSON(parsing: text.serialized(pretty: true)) == text)
    }

    @Test func prettyTextIsIndented() throws {
        let value: JSON = ["a": [1, true], "b": [:], "c": nil]
        #expect(
            value.serializedText(pretty: true)
                == "{\n    \"a\": [\n        1,\n        true\n    ],\n    \"b\": {},\n    \"c\": null\n}"
        )
        #expect(try JSON(parsing: value.serialized(pretty: true)) == value)
    }

    /// Beyond 16 members a key is found by its hash.
    @Test(arguments: [2, 16, 17, 40])
    func membersAreFoundHoweverManyThereAre(_ count: Int) throws {
        let numbers = Array(0..<count)
        var object = JSON.Object(numbers.map { ("k\($0)", .integer(Int64($0))) })
        #expect(object == JSON.Object(numbers.reversed().map { ("k\($0)", .integer(Int64($0))) }))
        let other = JSON.Object(numbers.reversed().map { ("k\($0)", .integer(Int64($0))) })
        #expect(Set([JSON.object(object), .object(other)]).count == 1)
        object["k1"] = nil
        object["k0"] = true
        object["new"] = false
        #expect(object.keys == ["k0"] + numbers.dropFirst(2).map { "k\($0)" } + ["new"])
        #expect(object["k0"] == true && object["k1"] == nil && object["new"] == false)
        #expect(numbers.dropFirst(2).allSatisfy { object["k\($0)"] == .integer(Int64($0)) })
        #expect(object != other && object.count == count)
        let text = JSON.object(object).serialized()
        #expect(try JSON(parsing: text) == .object(object))
    }

    @Test func membersAreSetAndRemoved() {
        var object: JSON.Object = ["a": 1, "b": 2]
        object["a"] = nil
        object["c"] = 3
        object["b"] = 4
        #expect(object.keys == ["b", "c"])
        #expect(object == ["c": 3, "b": 4])
        #expect(JSON.object(object)["c"]?.integer == 3)
        #expect(JSON.object(object)["c"]?.string == nil)
    }
}
