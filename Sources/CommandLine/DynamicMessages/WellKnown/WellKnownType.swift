// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// The types of `google.protobuf` whose JSON is not the object of their fields.
enum WellKnownType: Hashable {
    case timestamp, duration, fieldMask, empty
    case any
    case object, value, list
    /// A message with one field `value`, number 1.
    case wrapper(FieldDefinition.Kind)

    /// By its full name; nil for all other types.
    init?(_ name: String) {
        guard name.hasPrefix(Self.package), let type = Self.types[String(name.dropFirst(Self.package.count))]
        else { return nil }
        self = type
    }

    /// Within an `Any` it is the member `value`, where others have their fields beside `@type`.
    var isValueInAny: Bool { self != .empty }

    /// Whether `null` is a value of a type, rather than the absence of one.
    static func hasNull(_ kind: FieldDefinition.Kind) -> Bool {
        kind == .message(package + "Value") || isNullValue(kind)
    }

    /// The enum that stands for `null`.
    static func isNullValue(_ kind: FieldDefinition.Kind) -> Bool {
        kind == .enumeration(package + "NullValue")
    }

    private static let package = "google.protobuf."
    private static let types: [String: WellKnownType] = [
        "Timestamp": .timestamp, "Duration": .duration, "FieldMask": .fieldMask, "Empty": .empty,
        "Any": .any, "Struct": .object, "Value": .value, "ListValue": .list,
        "DoubleValue": .wrapper(.double), "FloatValue": .wrapper(.float), "Int64Value": .wrapper(.int64),
        "UInt64Value": .wrapper(.uint64), "Int32Value": .wrapper(.int32), "UInt32Value": .wrapper(.uint32),
        "BoolValue": .wrapper(.bool), "StringValue": .wrapper(.string), "BytesValue": .wrapper(.bytes),
    ]
}
