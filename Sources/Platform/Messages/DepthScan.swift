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
        _ name: StaticString
    ) throws(MessageError) {
        try scan(bytes, descriptor, name, depth: 1)
    }

    private static func scan(
        _ bytes: UnsafeRawBufferPointer,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ name: StaticString,
        depth: Int
    ) throws(MessageError) {
        guard depth <= limit else { throw .tooDeep(message: "\(name)") }
        guard var fields = WireReader(bytes, of: name) else { return }
        while let field = try fields.field() {
            guard let content = field.content, let nested = descriptor.field(field.number)?.nestedType
            else { continue }
            try scan(content, nested, name, depth: depth + 1)
        }
    }
}

extension UnsafePointer<ProtobufCMessageDescriptor> {
    /// The field with that number, if the type has it.
    func field(_ number: UInt64) -> ProtobufCFieldDescriptor? {
        guard let number = UInt32(exactly: number) else { return nil }
        return protobuf_c_message_descriptor_get_field(self, number)?.pointee
    }
}

extension ProtobufCFieldDescriptor {
    /// The type of the field's messages, if that is what it holds.
    var nestedType: UnsafePointer<ProtobufCMessageDescriptor>? {
        guard type == PROTOBUF_C_TYPE_MESSAGE else { return nil }
        return descriptor?.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }
}
