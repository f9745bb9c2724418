// SPDX-License-Identifier: Apache-2.0
import Logs
import Testing

struct IndexRecordTests {
    /// offset 0x0102 | time 1 ns | stream 2, zero to 27 | CRC-32 of the 28 bytes, as zlib computes it.
    private let golden: [UInt8] = [
        0x02, 0x01, 0, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x4b, 0x33, 0xcb, 0x64,
    ]

    @Test func bytesAreTheGoldenOnes() {
        let record = IndexRecord(offset: 0x0102, wallNanos: 1, stream: .standardError)
        #expect(record.bytes == golden)
        #expect(IndexRecord(golden) == record)
    }

    @Test func checksumIsThatOfZlib() {
        #expect(CRC32.checksum(of: Array("123456789".utf8)) == 0xcbf4_3926)
    }

    @Test(arguments: 0..<32)
    func oneFlippedBitMakesItInvalid(place: Int) {
        var bytes = golden
        bytes[place] ^= 0x10
        #expect(IndexRecord(bytes) == nil)
    }

    @Test func otherLengthsAreInvalid() {
        #expect(IndexRecord(golden.dropLast()) == nil)
        #expect(IndexRecord(golden + [0]) == nil)
    }

    @Test(arguments: ["1:2", "0:0", "18446744073709551615:7"])
    func positionsAreReadAsWritten(text: String) {
        #expect(LogPosition(text)?.description == text)
    }

    @Test(arguments: ["", "1", "1:", ":1", "1:2:3", "-1:2", "a:b"])
    func otherTextsAreNoPositions(text: String) { #expect(LogPosition(text) == nil) }
}
