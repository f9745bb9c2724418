// SPDX-License-Identifier: Apache-2.0

/// Messages on their way out, each preceded by its five bytes of flags and length.
struct OutputQueue {
    private var messages = MessageQueue()
    /// Sent bytes of the first message, its prefix counted.
    private var offset = 0
    /// Bytes left, prefixes counted.
    private(set) var byteCount = 0

    mutating func append(_ message: WireMessage) {
        messages.append(message)
        byteCount += Self.size(of: message)
    }

    static func size(of message: WireMessage) -> Int { message.bytes.count + Deframer.prefixLength }

    mutating func removeAll() { self = OutputQueue() }

    /// Moves `count` bytes, at most `byteCount`, to the end of `batch`.
    mutating func move(_ count: Int, into batch: WriteBatch) {
        var left = min(count, byteCount)
        byteCount -= left
        while left > 0, let message = messages.first {
            left -= Self.write(message, atMost: left, into: batch, moved: &offset)
            guard offset == Self.size(of: message) else { continue }
            _ = messages.removeFirst()
            offset = 0
        }
    }

    /// - Returns: How many bytes were added.
    private static func write(
        _ message: WireMessage,
        atMost limit: Int,
        into batch: WriteBatch,
        moved offset: inout Int
    ) -> Int {
        var left = limit
        let length = UInt64(message.bytes.count) | (message.isCompressed ? 1 << 32 : 0)
        if offset == 0, left >= Deframer.prefixLength {
            batch.append(prefix: length)
            offset = Deframer.prefixLength
            left -= Deframer.prefixLength
        }
        while offset < Deframer.prefixLength, left > 0 {
            batch.append(UInt8(truncatingIfNeeded: length >> UInt64(8 * (4 - offset))))
            offset += 1
            left -= 1
        }
        let sent = offset - Deframer.prefixLength
        guard left > 0, sent >= 0 else { return limit - left }
        let part = min(left, message.bytes.count - sent)
        if part > 0 { batch.append(sent..<sent + part, of: message.bytes) }
        offset += part
        return limit - left + part
    }
}
