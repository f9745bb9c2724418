// SPDX-License-Identifier: Apache-2.0
package import CMessages

/// Reads a serialized message field by field. For what protobuf-c does not do: looking at bytes before it sees them, and
/// the entries of maps, of each of which it would make a structure.
package struct WireReader {
    struct Field {
        let number: UInt64
        /// The tag and all that belongs to it.
        let whole: UnsafeRawBufferPointer
        /// What is between the delimiters, for a field with a length; nil for a number.
        let content: UnsafeRawBufferPointer?
    }

    private var next: UnsafeRawPointer
    private let end: UnsafeRawPointer
    /// The message's type, for errors: the start of a literal, since three words are quicker to pass than five.
    private let name: UnsafePointer<UInt8>

    /// Nil when there is nothing to read. The bytes have to outlive the reader.
    init?(_ bytes: UnsafeRawBufferPointer, of name: StaticString) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
        next = start
        end = start + bytes.count
        self.name = name.utf8Start
    }

    /// The same for bytes that protobuf-c holds.
    package init?(_ data: ProtobufCBinaryData, of name: StaticString) {
        guard let start = data.data, data.len > 0 else { return nil }
        next = UnsafeRawPointer(start)
        end = next + data.len
        self.name = name.utf8Start
    }

    // MARK: - Fields

    /// The next field's tag; nil at the end.
    package mutating func tag() throws(MessageError) -> UInt64? { next < end ? try varint() : nil }

    /// Passes over a field whose tag was read.
    /// - Throws: `.malformed` where the bytes cannot be followed, at groups too.
    package mutating func skip(_ tag: UInt64) throws(MessageError) { _ = try content(of: tag) }

    /// The next field as a whole; nil at the end.
    mutating func field() throws(MessageError) -> Field? {
        let start = next
        guard let tag = try tag() else { return nil }
        let content = try content(of: tag)
        let whole = UnsafeRawBufferPointer(start: start, count: next - start)
        return Field(number: tag >> 3, whole: whole, content: content)
    }

    private mutating func content(of tag: UInt64) throws(MessageError) -> UnsafeRawBufferPointer? {
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: _ = try take(8)
        case 2: return try content()
        case 5: _ = try take(4)
        default: throw malformed
        }
        return nil
    }

    // MARK: - Values

    package mutating func varint() throws(MessageError) -> UInt64 {
        guard next < end else { throw malformed }
        let first = next.load(as: UInt8.self)
        next += 1
        return first < 0x80 ? UInt64(first) : try rest(of: first)
    }

    private mutating func rest(of first: UInt8) throws(MessageError) -> UInt64 {
        var result = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while next < end, shift < 70 {
            let byte = next.load(as: UInt8.self)
            next += 1
            result |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        throw malformed
    }

    /// A folded number (see `WireWriter.zigzag`).
    package mutating func zigzag() throws(MessageError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    package mutating func fixed32() throws(MessageError) -> UInt32 {
        UInt32(littleEndian: try take(4).loadUnaligned(as: UInt32.self))
    }

    package mutating func fixed64() throws(MessageError) -> UInt64 {
        UInt64(littleEndian: try take(8).loadUnaligned(as: UInt64.self))
    }

    /// - Throws: `.invalidText` when the bytes are not UTF-8.
    package mutating func text(_ field: StaticString) throws(MessageError) -> String {
        try Wire.text(try content().assumingMemoryBound(to: UInt8.self), field)
    }

    package mutating func bytes() throws(MessageError) -> [UInt8] { [UInt8](try content()) }

    private mutating func content() throws(MessageError) -> UnsafeRawBufferPointer {
        let length = try varint()
        guard length <= UInt64(end - next) else { throw malformed }
        return try take(Int(length))
    }

    private mutating func take(_ count: Int) throws(MessageError) -> UnsafeRawBufferPointer {
        guard count <= end - next else { throw malformed }
        defer { next += count }
        return UnsafeRawBufferPointer(start: next, count: count)
    }

    private var malformed: MessageError { .malformed(message: String(cString: name)) }
}
