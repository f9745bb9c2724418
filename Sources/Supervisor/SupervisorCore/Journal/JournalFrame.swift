// SPDX-License-Identifier: Apache-2.0
internal import Messages

/// One event in a segment file: length u32, CRC-32 of the payload u32 (both little-endian), payload (an
/// EventRecord).
enum JournalFrame {
    static let headerBytes = 8
    static let maximumPayloadBytes = 1 << 20
    static let maximumBytes = maximumPayloadBytes + headerBytes

    static func encode(_ event: Event) -> [UInt8] {
        let payload = SupervisorV1.EventRecord(event).serialized()
        var frame: [UInt8] = []
        frame.reserveCapacity(headerBytes + payload.count)
        append(UInt32(payload.count), to: &frame)
        append(Checksum.crc32(payload), to: &frame)
        return frame + payload
    }

    /// The event that begins at `offset`, and where the next one begins; nil when there is no whole, sound
    /// one.
    static func decode(_ bytes: [UInt8], at offset: Int) -> (event: Event, end: Int)? {
        guard offset + headerBytes <= bytes.count else { return nil }
        let length = Int(word(bytes, offset))
        let start = offset + headerBytes
        guard length > 0, length <= maximumPayloadBytes, start + length <= bytes.count else { return nil }
        let payload = bytes[start..<start + length]
        guard Checksum.crc32(payload) == word(bytes, offset + 4),
            let record = try? SupervisorV1.EventRecord(serialized: Array(payload)),
            let event = Event(record)
        else { return nil }
        return (event, start + length)
    }

    private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
}
