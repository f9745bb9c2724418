// SPDX-License-Identifier: Apache-2.0
import Definitions
import Testing

struct WireTests {
    private func fields(_ bytes: [UInt8]) throws(WireError) -> [WireReader.Field] {
        var reader = WireReader(bytes[...])
        var result: [WireReader.Field] = []
        while let field = try reader.next() { result.append(field) }
        return result
    }

    @Test func everyKindOfFieldIsReadAsWritten() throws {
        var writer = WireWriter()
        writer.varint(1, 300)
        writer.fixed32(2, 0x0403_0201)
        writer.fixed64(3, 0x0807_0605_0403_0201)
        writer.text(4, "hé")
        writer.varint(WireReader.largestNumber, .max)
        // tag, value; little-endian; tag, length, bytes; a tag of five bytes, ten bytes of ones.
        let golden: [UInt8] =
            [0x08, 0xac, 0x02]
            + [0x15, 1, 2, 3, 4]
            + [0x19, 1, 2, 3, 4, 5, 6, 7, 8]
            + [0x22, 3, 0x68, 0xc3, 0xa9]
            + [0xf8, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        #expect(writer.bytes == golden)
        #expect(
            try fields(golden) == [
                .init(number: 1, value: .varint(300)),
                .init(number: 2, value: .fixed32(0x0403_0201)),
                .init(number: 3, value: .fixed64(0x0807_0605_0403_0201)),
                .init(number: 4, value: .bytes([0x68, 0xc3, 0xa9])),
                .init(number: WireReader.largestNumber, value: .varint(.max)),
            ]
        )
    }

    /// Groups of proto2: field 1 holds field 2, and a group within; then field 3.
    @Test func groupsArePassedOver() throws {
        let bytes: [UInt8] = [0x0b, 0x10, 0x05, 0x13, 0x14, 0x0c, 0x18, 0x07]
        #expect(try fields(bytes) == [.init(number: 3, value: .varint(7))])
    }

    @Test(
        arguments: [
            ([0x08], .truncated, 1), ([0x08, 0x80], .truncated, 1), ([0x15, 1, 2, 3], .truncated, 1),
            ([0x19, 1], .truncated, 1), ([0x22, 2, 1], .truncated, 0), ([0x80], .truncated, 0),
            ([0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], .truncated, 0),
            ([0x08] + [UInt8](repeating: 0x80, count: 10) + [0], .longVarint, 1),
            ([0x00, 0], .badFieldNumber, 0), ([0x80, 0x80, 0x80, 0x80, 0x10, 0], .badFieldNumber, 0),
            ([0x0e, 0], .badWireType(6), 0), ([0x08, 1, 0x0f, 0], .badWireType(7), 2),
            ([0x0c], .strayEndOfGroup, 0), ([0x0b, 0x14], .strayEndOfGroup, 1), ([0x0b], .truncated, 1),
            ([UInt8](repeating: 0x0b, count: 200), .tooDeep(limit: 100), 100),
        ] as [([UInt8], WireError.Reason, Int)]
    )
    func brokenBytesAreAnErrorWithAPlace(bytes: [UInt8], reason: WireError.Reason, offset: Int) {
        #expect(throws: WireError(reason, offset: offset)) { try fields(bytes) }
    }

    /// Offsets count from the start of the whole.
    @Test func anErrorWithinAMessageIsToldByItsPlaceInTheWhole() throws {
        let whole: [UInt8] = [0x0a, 2, 0x08, 0x80]
        guard case .bytes(let inner) = try fields(whole)[0].value else {
            Issue.record("no bytes")
            return
        }
        var reader = WireReader(inner)
        #expect(throws: WireError(.truncated, offset: 3)) { try reader.next() }
    }

    @Test func bitsBeyondTheSixtyFourthAreDropped() throws {
        let bytes: [UInt8] = [0x08] + [UInt8](repeating: 0xff, count: 9) + [0x7f]
        #expect(try fields(bytes) == [.init(number: 1, value: .varint(.max))])
    }

    @Test func someFieldsAreChangedAndTheOthersAreAsTheyWere() throws {
        let inner = { (number: UInt64) in message { $0.varint(1, number) } }
        let whole = message { writer in
            writer.fixed32(1, 7)
            for number: UInt64 in 0..<3 { writer.bytes(2, inner(number)) }
            writer.text(3, "old")
            writer.fixed64(4, 9)
            writer.varint(5, 1)
        }
        var fields = try WireFields(reading: whole[...])
        #expect(fields.serialized() == whole)
        try fields.rewrite(2) { (fields, index) throws(WireError) in
            var fields = fields
            fields.set(1, .varint(10 + UInt64(index)))
            return index == 1 ? nil : fields
        }
        fields.set(3, .text("new"))
        fields.remove(5)
        let expected = message { writer in
            writer.fixed32(1, 7)
            for number: UInt64 in [10, 12] { writer.bytes(2, inner(number)) }
            writer.fixed64(4, 9)
            writer.text(3, "new")
        }
        #expect(fields.serialized() == expected)
        #expect(throws: WireError(.truncated, offset: 1)) { try WireFields(reading: [0x08]) }
    }
}
