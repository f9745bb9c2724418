// SPDX-License-Identifier: Apache-2.0
internal import NIOCore

/// Messages on their way out, each preceded by its five bytes of flags and length.
struct OutputQueue {
    private var messages: [[UInt8]] = []
    private var first = 0
    /// Sent bytes of the first message, its prefix counted.
    private var offset = 0
    /// Bytes left, prefixes counted.
    private(set) var byteCount = 0

    mutating func append(_ message: [UInt8]) {
        messages.append(message)
        byteCount += message.count + Deframer.prefixLength
    }

    mutating func removeAll() { self = OutputQueue() }

    /// Moves `count` bytes, at most `byteCount`, to the end of `buffer`.
    mutating func move(_ count: Int, into buffer: inout ByteBuffer) {
        var left = min(count, byteCount)
        byteCount -= left
        while left > 0 {
            let message = messages[first]
            if offset < Deframer.prefixLength {
                let length = UInt32(truncatingIfNeeded: message.count)
                let prefix = [0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * $0)) }
                let part = min(left, Deframer.prefixLength - offset)
                buffer.writeBytes(prefix[offset..<offset + part])
                offset += part
                left -= part
            }
            let start = offset - Deframer.prefixLength
            if start >= 0 {
                let part = min(left, message.count - start)
                if part > 0 { buffer.writeBytes(message[start..<start + part]) }
                offset += part
                left -= part
                if offset == message.count + Deframer.prefixLength { removeFirst() }
            }
        }
    }

    private mutating func removeFirst() {
        messages[first] = []
        first += 1
        offset = 0
        if first == messages.count {
            messages.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 64 {
            messages.removeFirst(first)
            first = 0
        }
    }
}
