// SPDX-License-Identifier: Apache-2.0

/// Writes a message from its last byte to its first, so that every length is known when its turn comes: one pass, and
/// no structures in between.
///
/// For generated code. A field is written in reverse too: the value, then its length, then its tag.
package struct WireWriter {
    private var start: UnsafeMutableRawPointer
    private var position: UnsafeMutableRawPointer
    private var end: UnsafeMutableRawPointer
    private var isOnHeap = false
    /// Large values, which are copied once, at the end: the last comes first. How many bytes were written before each.
    private var large: [(bytes: [UInt8], position: Int)] = []
    private var largeCount = 0

    /// Copying less twice costs less than remembering it.
    private static let largeSize = 8 << 10

    private init(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let base = buffer.baseAddress else { preconditionFailure("memory was asked for") }
        start = base
        end = start + buffer.count
        position = end
    }

    /// What `body` writes.
    package static func bytes(_ body: (inout WireWriter) -> Void) -> [UInt8] {
        // Most messages fit, and what is on the stack costs nothing.
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { buffer in
            var writer = WireWriter(buffer)
            body(&writer)
            defer { if writer.isOnHeap { writer.start.deallocate() } }
            return writer.result
        }
    }

    private var result: [UInt8] {
        guard !large.isEmpty else {
            return [UInt8](UnsafeRawBufferPointer(start: position, count: written))
        }
        return [UInt8](unsafeUninitializedCapacity: count) { result, filled in
            var next = position
            for value in large.reversed() {
                let boundary = end - value.position
                filled = result.add(UnsafeRawBufferPointer(start: next, count: boundary - next), at: filled)
                next = boundary
                filled = value.bytes.withUnsafeBytes { result.add($0, at: filled) }
            }
            filled = result.add(UnsafeRawBufferPointer(start: next, count: end - next), at: filled)
        }
    }

    /// How many bytes there are.
    package var count: Int { written + largeCount }

    /// Without the large values.
    private var written: Int { end - position }

    // MARK: - Values

    package mutating func varint(_ value: UInt64) {
        guard value >= 0x80 else { return byte(UInt8(truncatingIfNeeded: value)) }
        reserve(10)
        // Seven bits each.
        position -= (70 - value.leadingZeroBitCount) / 7
        var target = position
        var rest = value
        while rest >= 0x80 {
            target.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            target += 1
            rest >>= 7
        }
        target.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
    }

    /// A signed number, folded: 0, -1, 1, -2, … are 0, 1, 2, 3, ….
    package mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    package mutating func fixed32(_ value: UInt32) {
        reserve(4)
        position -= 4
        position.storeBytes(of: value.littleEndian, as: UInt32.self)
    }

    package mutating func fixed64(_ value: UInt64) {
        reserve(8)
        position -= 8
        position.storeBytes(of: value.littleEndian, as: UInt64.self)
    }

    /// UTF-8 and, before it, the length.
    package mutating func text(_ text: String) {
        var text = text
        text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
        varint(UInt64(text.utf8.count))
    }

    /// The bytes and, before them, the length.
    package mutating func bytes(_ bytes: [UInt8]) {
        raw(bytes)
        varint(UInt64(bytes.count))
    }

    /// The bytes as they are.
    package mutating func raw(_ bytes: [UInt8]) {
        guard bytes.count >= Self.largeSize else { return bytes.withUnsafeBytes { copy($0) } }
        large.append((bytes, written))
        largeCount += bytes.count
    }

    // MARK: - Before values

    /// Field number and wire type.
    package mutating func tag(_ tag: UInt32) { varint(UInt64(tag)) }

    /// The length of what was written since `count` was `end`, and the tag.
    package mutating func close(_ tag: UInt32, since end: Int) {
        varint(UInt64(count - end))
        self.tag(tag)
    }

    // MARK: - Space

    private mutating func byte(_ byte: UInt8) {
        reserve(1)
        position -= 1
        position.storeBytes(of: byte, as: UInt8.self)
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        position -= bytes.count
        position.copyMemory(from: source, byteCount: bytes.count)
    }

    private mutating func reserve(_ size: Int) {
        if position - start < size { grow(for: size) }
    }

    @inline(never)
    private mutating func grow(for size: Int) {
        let count = written
        // What comes before it, its length at least, has room too.
        let capacity = max(2 * (end - start), count + size + 64)
        let new = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        let newEnd = new + capacity
        let newPosition = newEnd - count
        newPosition.copyMemory(from: position, byteCount: count)
        if isOnHeap { start.deallocate() }
        (start, position, end, isOnHeap) = (new, newPosition, newEnd, true)
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    /// - Returns: Where the next may be added.
    fileprivate func add(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        guard bytes.count > 0 else { return index }
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(self)[index...]).copyMemory(
            from: bytes
        )
        return index + bytes.count
    }
}
