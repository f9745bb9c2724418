// SPDX-License-Identifier: Apache-2.0

/// What a definition file (`.proto`) declares, as read from its `FileDescriptorProto`.
///
/// Every name in it is one: letters, digits and underscores, with points between. Options are not kept, save for the
/// few that say how a message is written.
package struct FileDefinition: Hashable, Sendable {
    package enum Syntax: Hashable, Sendable {
        case proto2
        case proto3
        /// Fields have presence and lists are packed, as editions have it where nothing else is said.
        case edition
    }

    /// `petrel/engine/v1/engine.proto`.
    package var name: String
    /// May be empty.
    package var package: String
    /// What stands at the package's name.
    package var comment = ""
    /// The names of the files that it imports.
    package var dependencies: [String] = []
    package var syntax: Syntax = .proto3
    package var messages: [MessageDefinition] = []
    package var enums: [EnumDefinition] = []
    package var services: [ServiceDefinition] = []
    package var extensions: [FieldDefinition] = []
}

package struct MessageDefinition: Hashable, Sendable {
    package struct Oneof: Hashable, Sendable {
        package let name: String
        package let comment: String
    }

    package var name: String
    /// Without the leading point.
    package var fullName: String
    package var comment = ""
    package var fields: [FieldDefinition] = []
    package var messages: [MessageDefinition] = []
    package var enums: [EnumDefinition] = []
    /// Also those that stand for a field with `optional`.
    package var oneofs: [Oneof] = []
    package var extensions: [FieldDefinition] = []
    /// Stands for the entries of a map: `key` is field 1, `value` field 2.
    package var isMapEntry = false
    package var extensionRanges: [ClosedRange<Int>] = []
    package var reservedRanges: [ClosedRange<Int>] = []
    package var reservedNames: [String] = []
    package var isDeprecated = false

    /// The fields of a map's entry; nil for every other message.
    package var entry: (key: FieldDefinition, value: FieldDefinition)? {
        guard isMapEntry, let key = fields.first(where: { $0.number == 1 }),
            let value = fields.first(where: { $0.number == 2 })
        else { return nil }
        return (key, value)
    }
}

package struct FieldDefinition: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case double, float
        case int32, sint32, sfixed32
        case int64, sint64, sfixed64
        case uint32, fixed32
        case uint64, fixed64
        case bool, string, bytes
        /// The full name of its type, without the leading point.
        case message(String)
        case enumeration(String)
        case group(String)
    }

    package enum Label: Hashable, Sendable { case singular, required, repeated }

    package var name: String
    package var fullName: String
    /// Its name in JSON.
    package var jsonName: String
    package var number: Int
    package var kind: Kind
    package var label: Label = .singular
    /// Its oneof's index in the message, when it is a choice among several.
    package var oneof: Int?
    /// The index of the oneof that stands for `optional`.
    package var syntheticOneof: Int?
    /// That it is absent differs from its default value.
    package var hasPresence = false
    /// Declared `optional` where that makes a difference.
    package var isOptional = false
    package var isPacked = false
    /// As the definition writes it; proto2 only.
    package var defaultValue: String?
    /// Of an extension: the full name of the message that it extends.
    package var extendee = ""
    package var isDeprecated = false
    package var comment = ""

    package var isRepeated: Bool { label == .repeated }
}

package struct EnumDefinition: Hashable, Sendable {
    package struct Value: Hashable, Sendable {
        package let name: String
        package let number: Int32
        package let comment: String
    }

    package var name: String
    package var fullName: String
    package var comment = ""
    /// In the order of the definition; a number may have several names.
    package var values: [Value] = []
}

package struct ServiceDefinition: Hashable, Sendable {
    package struct Method: Hashable, Sendable {
        /// Whether a call may be sent again when nobody knows what became of it.
        package enum Idempotency: Hashable, Sendable {
            case unknown
            case noSideEffects
            case idempotent
        }

        package var name: String
        /// `petrel.engine.v1.Containers.Start`.
        package var fullName: String
        /// The full names of the messages.
        package var input: String
        package var output: String
        package var clientStreams = false
        package var serverStreams = false
        package var idempotency = Idempotency.unknown
        package var isDeprecated = false
        package var comment = ""
    }

    package var name: String
    package var fullName: String
    package var comment = ""
    package var methods: [Method] = []
}
