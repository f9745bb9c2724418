// SPDX-License-Identifier: Apache-2.0

/// Which of a process's outputs bytes came from.
package enum OutputStream: UInt8, Hashable, Sendable, CaseIterable {
    /// Also everything that a terminal shows.
    case standardOutput = 1
    case standardError = 2
}

/// One record of a segment's index: the bytes from `offset` to the next record's offset, or to the end of the data,
/// came from `stream` at `wallNanos`.
///
/// 32 bytes, little-endian: offset u64 at 0, time i64 at 8, stream u8 at 16, zero at 17 to 27, CRC-32 (IEEE 802.3) of
/// the first 28 bytes at 28. A record is written before its bytes, so the last one may stand at the data's end.
package struct IndexRecord: Hashable, Sendable {
    package static let size = 32

    /// In the segment's data, in bytes.
    package let offset: UInt64
    /// Since 1970, UTC.
    package let wallNanos: Int64
    package let stream: OutputStream

    package init(offset: UInt64, wallNanos: Int64, stream: OutputStream) {
        self.offset = offset
        self.wallNanos = wallNanos
        self.stream = stream
    }

    /// nil for a record that is torn, damaged, or of a kind that this release does not know.
    /// - Parameter bytes: Exactly 32 of them.
    package init?(_ bytes: some RandomAccessCollection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        func integer(_ start: Int, _ count: Int) -> UInt64 {
            (0..<count).reduce(0) { result, place in
                let byte = bytes[bytes.index(bytes.startIndex, offsetBy: start + place)]
                return result | UInt64(byte) << (8 * place)
            }
        }
        guard UInt32(truncatingIfNeeded: integer(28, 4)) == CRC32.checksum(of: bytes.prefix(28)),
            let stream = OutputStream(rawValue: UInt8(truncatingIfNeeded: integer(16, 1)))
        else { return nil }
        self.init(offset: integer(0, 8), wallNanos: Int64(bitPattern: integer(8, 8)), stream: stream)
    }

    package var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.size)
        func append(_ value: UInt64, _ count: Int) {
            for place in 0..<count { result.append(UInt8(truncatingIfNeeded: value >> (8 * place))) }
        }
        append(offset, 8)
        append(UInt64(bitPattern: wallNanos), 8)
        append(UInt64(stream.rawValue), 12)
        append(UInt64(CRC32.checksum(of: result)), 4)
        return result
    }
}

/// The checksum of IEEE 802.3, as in zlib.
package enum CRC32 {
    package static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        var value: UInt32 = ~0
        for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 0xff)] ^ (value >> 8) }
        return ~value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
    }
}
