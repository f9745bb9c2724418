// SPDX-License-Identifier: Apache-2.0

/// The fields of one serialized message, one after another, without knowledge of its type.
struct WireFields {
    struct Field {
        let number: UInt64
        /// The tag and all that belongs to it.
        let whole: Range<Int>
        /// What is between the delimiters, for a field with a length; nil for a number.
        let content: Range<Int>?
    }

    let bytes: UnsafeRawBufferPointer
    /// The message's type, for errors.
    let name: String
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer, of name: String) {
        self.bytes = bytes
        self.name = name
    }

    /// - Throws: `.malformed` where the bytes cannot be followed, at groups too.
    mutating func next() throws(MessageError) -> Field? {
        guard position < bytes.count else { return nil }
        let start = position
        let tag = try varint()
        var content: Range<Int>?
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: position += 8
        case 5: position += 4
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.count - position) else { throw .malformed(message: name) }
            content = position..<position + Int(length)
            position += Int(length)
        default: throw .malformed(message: name)
        }
        guard position <= bytes.count else { throw .malformed(message: name) }
        return Field(number: tag >> 3, whole: start..<position, content: content)
    }

    private mutating func varint() throws(MessageError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 70 {
            let byte = bytes[position]
            position += 1
            if shift < 64 { result |= UInt64(byte & 0x7f) << shift }
            if byte < 0x80 { return result }
            shift += 7
        }
        throw .malformed(message: name)
    }
}
