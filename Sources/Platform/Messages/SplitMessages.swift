// SPDX-License-Identifier: Apache-2.0
internal import CMessages
internal import CProtobufC

/// Joins messages that came in pieces, which protobuf-c cannot.
///
/// A field of a message's type that occurs more than once stands for all of them merged, and so does the choice of a
/// oneof while no other choice comes between. protobuf-c replaces or refuses them, or loses numbers and unknown fields.
/// By the wire format, merging is joining the bytes, so the pieces become one before protobuf-c sees them. No encoder
/// writes pieces by itself, so only bytes that make protobuf-c drop a message are looked at.
enum SplitMessages {
    private struct Part {
        /// As it is in the source, unless it is a message.
        let whole: UnsafeRawBufferPointer
        let number: UInt64
        var pieces: [UnsafeRawBufferPointer]
        let type: UnsafePointer<ProtobufCMessageDescriptor>?
    }

    /// The same message with each nested message in one piece.
    /// - Throws: `.malformed` where the bytes cannot be followed.
    static func joined(
        _ bytes: UnsafeRawBufferPointer,
        of descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ name: StaticString
    ) throws(MessageError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for part in try parts(bytes, descriptor, name) {
            guard let type = part.type else {
                result += part.whole
                continue
            }
            var content: [UInt8] = []
            for piece in part.pieces { content += piece }
            // A closure that throws forgets the type of what it throws.
            let inner = content.withUnsafeBytes { content in
                Result { () throws(MessageError) in try joined(content, of: type, name) }
            }
            content = try inner.get()
            result.append(varint: part.number << 3 | 2)
            result.append(varint: UInt64(content.count))
            result += content
        }
        return result
    }

    private static func parts(
        _ bytes: UnsafeRawBufferPointer,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ name: StaticString
    ) throws(MessageError) -> [Part] {
        var parts: [Part] = []
        // Where the part of a field is that further pieces belong to.
        var open: [UInt64: Int] = [:]
        // The choice that a oneof, known by where its tag is, has so far.
        var choices: [UInt32: UInt64] = [:]
        guard var fields = WireReader(bytes, of: name) else { return [] }
        while let field = try fields.field() {
            let known = descriptor.field(field.number)
            if let known, known.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0,
                let last = choices.updateValue(field.number, forKey: known.quantifier_offset),
                last != field.number
            {
                open[last] = nil
            }
            guard let content = field.content, let type = known?.nestedType else {
                parts.append(Part(whole: field.whole, number: field.number, pieces: [], type: nil))
                continue
            }
            if let index = open[field.number] {
                parts[index].pieces.append(content)
                continue
            }
            if known?.label != PROTOBUF_C_LABEL_REPEATED { open[field.number] = parts.count }
            parts.append(Part(whole: field.whole, number: field.number, pieces: [content], type: type))
        }
        return parts
    }
}
