// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// Rewrites a request for protobuf-c's compiler into definitions with the same wire format, in a form that it and Swift
/// take well.
///
/// - `optional` becomes its synthetic oneof: the compiler refuses the flag.
/// - Strings become bytes: protobuf-c neither validates UTF-8 nor keeps what follows a NUL.
/// - Enums become integers, so that numbers from a newer peer need no conversion.
/// - Maps become the repeated entries that they are on the wire. One whose values are no messages is read without
///   protobuf-c, which would make a structure of each entry: its entries are bytes.
/// - Comments, services and enums, which the Swift code has, are left out.
/// - Names that C reserves, or that would clash there, are changed (see `CMembers`).
enum RequestRewriter {
    static func rewrite(_ request: GeneratorRequest) throws(WireError) -> [UInt8] {
        var wire = request.wire
        wire.remove(2)
        try wire.rewrite(15) { (file, index) throws(WireError) in
            let messages = request.files[index].definition.messages
            var file = file
            for number in [5, 6, 9] { file.remove(number) }
            try file.rewrite(4) { (message, index) throws(WireError) in
                try rewritten(message, messages[index])
            }
            return file
        }
        return wire.serialized()
    }

    /// Nil for entries that are bytes, which need no type.
    private static func rewritten(
        _ wire: WireFields,
        _ definition: MessageDefinition
    ) throws(WireError) -> WireFields? {
        if isBytes(definition) { return nil }
        let bytes = Set(definition.messages.filter(isBytes).map(\.fullName))
        let members = CMembers(of: definition)
        var message = wire
        message.remove(4)
        message.remove(7)
        try message.rewrite(3) { (nested, index) throws(WireError) in
            try rewritten(nested, definition.messages[index])
        }
        try message.rewrite(2) { (field, index) throws(WireError) in
            rewritten(field, definition.fields[index], members, bytes)
        }
        try message.rewrite(8) { (oneof, index) throws(WireError) in
            var oneof = oneof
            oneof.set(1, .text(members.oneof(index)))
            return oneof
        }
        return message
    }

    private static func rewritten(
        _ wire: WireFields,
        _ definition: FieldDefinition,
        _ members: CMembers,
        _ bytes: Set<String>
    ) -> WireFields {
        var field = wire
        field.set(1, .text(members.field(definition.number)))
        field.remove(10)
        field.remove(17)
        switch definition.kind {
        case .string: field.set(5, .varint(12))
        case .enumeration:
            field.set(5, .varint(5))
            field.remove(6)
        case .message(let type) where bytes.contains(type):
            field.set(5, .varint(12))
            field.remove(6)
        default: break
        }
        return field
    }

    /// Whether a message stands for the entries of a map that is read without protobuf-c.
    private static func isBytes(_ message: MessageDefinition) -> Bool {
        message.entry.map { !$0.value.kind.isMessage } ?? false
    }
}
