// SPDX-License-Identifier: Apache-2.0
internal import CMessages
internal import CProtobufC

/// Measures how deeply messages are nested before protobuf-c, which recurses without limit, sees them.
enum DepthScan {
    /// The deepest nesting that is accepted; what other implementations accept too.
    static let limit = 100

    /// - Throws: `.tooDeep`; `.malformed` where the bytes cannot be followed.
    static func check(
        _ bytes: UnsafeRawBufferPointer,
        of descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ name: String
    ) throws(MessageError) {
        try scan(bytes, descriptor, name, depth: 1)
    }

    private static func scan(
        _ bytes: UnsafeRawBufferPointer,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ name: String,
        depth: Int
    ) throws(MessageError) {
        guard depth <= limit else { throw .tooDeep(message: name) }
        var position = 0
        while position < bytes.count {
            let tag = try varint(bytes, &position, name)
            switch tag & 7 {
            case 0: _ = try varint(bytes, &position, name)
            case 1: position += 8
            case 5: position += 4
            case 2:
                let length = try varint(bytes, &position, name)
                guard length <= UInt64(bytes.count - position) else { throw .malformed(message: name) }
                let end = position + Int(length)
                if let nested = nestedType(descriptor, tag >> 3) {
                    try scan(
                        UnsafeRawBufferPointer(rebasing: bytes[position..<end]),
                        nested,
                        name,
                        depth: depth + 1
                    )
                }
                position = end
            default: throw .malformed(message: name)
            }
            guard position <= bytes.count else { throw .malformed(message: name) }
        }
    }

    private static func nestedType(
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ number: UInt64
    ) -> UnsafePointer<ProtobufCMessageDescriptor>? {
        guard let number = UInt32(exactly: number),
            let field = protobuf_c_message_descriptor_get_field(descriptor, number),
            field.pointee.type == PROTOBUF_C_TYPE_MESSAGE
        else { return nil }
        return field.pointee.descriptor?.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }

    private static func varint(
        _ bytes: UnsafeRawBufferPointer,
        _ position: inout Int,
        _ name: String
    ) throws(MessageError) -> UInt64 {
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
