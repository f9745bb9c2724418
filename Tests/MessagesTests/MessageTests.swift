// SPDX-License-Identifier: Apache-2.0
import Messages
import TestMessages
import Testing

struct MessageTests {
    private typealias Everything = TestV1.Everything

    private let full: TestV1.Everything = {
        var message = TestV1.Everything(
            doubleValue: -1.5,
            floatValue: 2.25,
            int32Value: -1,
            int64Value: .min,
            uint32Value: .max,
            uint64Value: .max,
            sint32Value: .min,
            sint64Value: -3,
            fixed32Value: 7,
            fixed64Value: 8,
            sfixed32Value: -9,
            sfixed64Value: -10,
            boolValue: true,
            stringValue: "höhe 😀 \u{0} end",
            bytesValue: [0, 255, 0],
            colour: .red,
            nested: .init(name: "inner", errno: 2),
            default: .self
        )
        message.int32List = [0, -1, .max, .min]
        message.doubleList = [0, .infinity]
        message.boolList = [true, false]
        message.stringList = ["", "a", "\u{0}"]
        message.bytesList = [[], [1]]
        message.colourList = [.unspecified, .negative, .init(rawValue: 77)]
        message.nestedList = [.init(), .init(name: "x")]
        message.textByText = ["": "", "k": "v", "ü": "\u{0}"]
        message.flagByNumber = [0: true, -5: false]
        message.nestedByText = ["a": .init(), "b": .init(errno: -1)]
        message.colourByNumber = [.max: .red, 0: .init(rawValue: -9)]
        message.bytesByFlag = [true: [1], false: []]
        message.optionalInt32 = 0
        message.optionalString = ""
        message.optionalBool = false
        message.optionalColour = .unspecified
        message.optionalNested = .init()
        message.optionalBytes = []
        message.choice = .choiceText("")
        return message
    }()

    /// Large values are copied last, between what was written before and after them.
    @Test(arguments: [8191, 8192, 70_000]) func largeValuesStandWhereTheyBelong(size: Int) throws {
        let (first, second) = ([UInt8](repeating: 1, count: size), [UInt8](repeating: 2, count: size + 1))
        var message = full
        message.bytesValue = first
        message.stringValue = String(repeating: "ü", count: size)
        message.bytesList = [second, [], first, [3], second]
        message.bytesByFlag = [true: first, false: second]
        #expect(try Everything(serialized: message.serialized()) == message)
        let only = Everything(bytesValue: first)
        // Field 15, of bytes; the length in base 128.
        let length = UInt8(truncatingIfNeeded: size) | 0x80
        #expect(only.serialized().prefix(2) == [0x7a, length])
        #expect(only.serialized().suffix(size) == first[...])
        let nested = GoogleProtobuf.`Any`(typeUrl: "a/b", value: only.serialized())
        let outer = GoogleProtobuf.`Any`(typeUrl: "c", value: nested.serialized())
        #expect(try GoogleProtobuf.`Any`(serialized: outer.serialized()) == outer)
    }

    @Test func everyFieldSurvives() throws {
        #expect(try Everything(serialized: full.serialized()) == full)
    }

    @Test func theEmptyMessageIsEmptyBytes() throws {
        #expect(Everything().serialized() == [])
        #expect(try Everything(serialized: []) == Everything())
    }

    @Test(
        arguments: [
            .choiceText("text"), .choiceNested(.init()), .choiceNested(.init(name: "n")),
            .choiceColour(.unspecified),
            .choiceFlag(false), .in([]), .in([9]),
        ] as [TestV1.Everything.Choice]
    )
    func choicesSurviveEvenWithTheirDefaults(choice: TestV1.Everything.Choice) throws {
        #expect(try Everything(serialized: Everything(choice: choice).serialized()).choice == choice)
    }

    @Test func absentOptionalsStayAbsent() throws {
        let decoded = try Everything(serialized: Everything(int32Value: 1).serialized())
        #expect(decoded.optionalInt32 == nil)
        #expect(decoded.optionalNested == nil)
        #expect(decoded.choice == nil)
    }

    @Test func theBytesAreProtobufs() {
        // Field 3 varint 150; field 14 "hi"; field 17 {1: "n"}; field 41 varint 0 (present).
        let message = Everything(
            int32Value: 150,
            stringValue: "hi",
            nested: .init(name: "n"),
            optionalInt32: 0
        )
        #expect(
            message.serialized() == [
                0x18, 0x96, 0x01, 0x72, 0x02, 0x68, 0x69, 0x8a, 0x01, 0x03, 0x0a, 0x01, 0x6e, 0xc8, 0x02,
                0x00,
            ]
        )
    }

    @Test func packedAndUnpackedListsAreBothRead() throws {
        // Field 21: unpacked 1, packed 2 and 3.
        let decoded = try Everything(serialized: [0xa8, 0x01, 1, 0xaa, 0x01, 2, 2, 3])
        #expect(decoded.int32List == [1, 2, 3])
    }

    @Test func unknownFieldsSurvive() throws {
        let sparse = try TestV1.Sparse(serialized: full.serialized())
        #expect(sparse.int32Value == -1)
        #expect(!sparse.unknownFields.isEmpty)
        #expect(try Everything(serialized: sparse.serialized()) == full)
    }

    /// Number 0 is nobody's. Written in two bytes it is read, but could not be written so that it is read again.
    @Test func theFieldOfNoNumberIsForgotten() throws {
        let sparse = try TestV1.Sparse(serialized: [0xa5, 0x41, 1, 2, 3, 4, 0x80, 0, 0x26])
        #expect(sparse.unknownFields == [0xa5, 0x41, 1, 2, 3, 4])
        #expect(try TestV1.Sparse(serialized: sparse.serialized()) == sparse)
    }

    @Test func unknownFieldsOfNestedMessagesSurvive() throws {
        // Nested {1: "a", 99: varint 5, 100: "zz"}.
        let nested: [UInt8] = [0x0a, 1, 0x61, 0x98, 0x06, 5, 0xa2, 0x06, 2, 0x7a, 0x7a]
        let outer = [0x8a, 0x01, UInt8(nested.count)] + nested
        let decoded = try Everything(serialized: outer)
        #expect(decoded.nested?.name == "a")
        #expect(decoded.serialized() == outer)
    }

    @Test func unknownEnumNumbersSurvive() throws {
        let decoded = try Everything(serialized: Everything(colour: .init(rawValue: 1234)).serialized())
        #expect(decoded.colour.rawValue == 1234)
        #expect(decoded.colour.description == "1234")
        #expect(TestV1.Colour.red.description == "COLOUR_RED")
    }

    @Test(
        arguments: [
            [0x72, 0x02, 0xc3, 0x28], [0x72, 0x01, 0xff], [0x72, 0x03, 0xed, 0xa0, 0x80],
            [0x72, 0x0a, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x80],
        ] as [[UInt8]]
    )
    func textThatIsNotUTF8IsRefused(bytes: [UInt8]) {
        #expect(throws: MessageError.invalidText(field: "petrel.test.v1.Everything.string_value")) {
            try TestV1.Everything(serialized: bytes)
        }
    }

    @Test func mapKeysMustBeUTF8Too() {
        // Field 31 {1: ff}.
        #expect(throws: MessageError.invalidText(field: "petrel.test.v1.Everything.text_by_text")) {
            try TestV1.Everything(serialized: [0xfa, 0x01, 3, 0x0a, 1, 0xff])
        }
    }

    /// Each length up to where text has a place of its own.
    @Test(arguments: 0...17)
    func shortTextIsCopiedWhole(_ count: Int) throws {
        let text = String("abcdefghijklmnopq".prefix(count))
        for text in [text, String(text.dropLast()) + "é"] {
            var message = TestV1.Everything(stringValue: text)
            message.textByText = [text: text]
            #expect(try TestV1.Everything(serialized: message.serialized()) == message)
        }
    }

    @Test func mapEntriesMayHaveMoreThanKeyAndValue() throws {
        // Field 31 {3: varint 5, 2: "a", 1: "k", 4: fixed64, 5: "x", 6: fixed32, 2: "v"}: the last value counts.
        let more: [UInt8] =
            [0x18, 5, 0x12, 1, 0x61, 0x0a, 1, 0x6b, 0x21] + [UInt8](repeating: 9, count: 8)
            + [0x2a, 1, 0x78, 0x35, 1, 2, 3, 4, 0x12, 1, 0x76]
        let decoded = try Everything(serialized: [0xfa, 0x01, UInt8(more.count)] + more)
        #expect(decoded.textByText == ["k": "v"])
        // A key of another wire type is none.
        #expect(try Everything(serialized: [0xfa, 0x01, 2, 0x08, 7]).textByText == ["": ""])
    }

    @Test(
        arguments: [
            [0x0a], [0x0a, 5, 0x61], [0x08], [0x09, 1, 2], [0x0d, 1], [0x0b, 0x0c],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        ] as [[UInt8]]
    )
    func brokenMapEntriesAreRefused(entry: [UInt8]) {
        #expect(throws: MessageError.malformed(message: "petrel.test.v1.Everything")) {
            try TestV1.Everything(serialized: [0xfa, 0x01, UInt8(entry.count)] + entry)
        }
    }

    @Test func largeMessagesAreWhole() throws {
        var message = full
        message.bytesValue = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        message.stringList = (0..<5000).map { String(repeating: "x", count: $0 % 300) }
        message.int32List = (0..<100_000).map { Int32($0) * 37 }
        #expect(try Everything(serialized: message.serialized()) == message)
    }

    @Test func mapEntriesMayLackKeyOrValue() throws {
        #expect(try Everything(serialized: [0xfa, 0x01, 0]).textByText == ["": ""])
        #expect(try Everything(serialized: [0x8a, 0x02, 3, 0x0a, 1, 0x6b]).nestedByText == ["k": .init()])
    }

    @Test(
        arguments: [
            [0x18], [0x72, 0x05, 0x61],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            [0x72, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x0b], [0x8a, 0x01, 0x02, 0x0a, 0x05],
        ] as [[UInt8]]
    )
    func brokenBytesAreRefused(bytes: [UInt8]) {
        #expect(throws: MessageError.malformed(message: "petrel.test.v1.Everything")) {
            try TestV1.Everything(serialized: bytes)
        }
    }

    @Test func randomBytesNeverCrash() {
        var generator = SystemRandomNumberGenerator()
        let seed = full.serialized()
        for _ in 0..<5000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                    in: 0...255,
                    using: &generator
                )
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count / 2, using: &generator))
            if let message = try? Everything(serialized: bytes) { _ = message.serialized() }
        }
    }
}
