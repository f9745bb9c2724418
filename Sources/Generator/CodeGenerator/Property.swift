// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// One stored property of a generated message: a field, or a oneof.
struct Property {
    enum Shape {
        case singular(FieldDefinition)
        /// Has presence: a message, or a scalar declared `optional`.
        case optional(FieldDefinition)
        case repeated(FieldDefinition)
        case map(FieldDefinition, key: FieldDefinition, value: FieldDefinition)
        case oneof(Oneof)
    }

    struct Oneof {
        let name: String
        /// Its place among the message's oneofs.
        let index: Int
        /// The enum's name, nested in the message.
        let typeName: String
        let fields: [FieldDefinition]
        /// Numbers of the fields whose message holds this one, so that the case must be indirect.
        let indirect: Set<Int>
    }

    /// Escaped, for use in code.
    let name: String
    let type: String
    let initial: String
    let comment: String
    let shape: Shape
    /// Whether the value lies behind a reference, because it can hold a message of the type that it is in.
    let isBoxed: Bool

    /// A message's properties in the order of declaration; a oneof stands where its first field does.
    /// - Throws: `.unsupported` when two of them would have the same name in Swift.
    static func all(
        of message: MessageDefinition,
        in file: String,
        _ types: SwiftTypes
    ) throws(GeneratorError) -> [Property] {
        var result: [Property] = []
        var seen: Set<Int> = []
        for field in message.fields {
            if let oneof = field.oneof {
                guard seen.insert(oneof).inserted else { continue }
                result.append(Property(oneof: oneof, of: message, types))
            } else {
                result.append(Property(field, of: message, types))
            }
        }
        try requireDistinct(result.map { ($0.wireName, $0.name) }, in: message.fullName, file)
        for case .oneof(let oneof) in result.map(\.shape) {
            let cases = oneof.fields.map { ($0.name, $0.caseName) }
            try requireDistinct(cases, in: message.fullName, file)
        }
        return result
    }

    /// - Throws: `.unsupported` when two elements have the same name in Swift.
    static func requireDistinct(
        _ names: [(wire: String, swift: String)],
        in scope: String,
        _ file: String
    ) throws(GeneratorError) {
        var seen: [String: String] = [:]
        for (wire, swift) in names {
            if let first = seen.updateValue(wire, forKey: swift) {
                throw .unsupported(
                    file: file,
                    element: scope + "." + wire,
                    problem: "and \(first) would both be \(swift) in Swift",
                    advice: "rename one of them"
                )
            }
        }
    }

    private init(oneof position: Int, of message: MessageDefinition, _ types: SwiftTypes) {
        let oneof = message.oneofs[position]
        let fields = message.fields.filter { $0.oneof == position }
        let taken = Set(message.messages.map(\.name) + message.enums.map(\.name))
        let typeName = Names.upperCamel(oneof.name)
        name = Names.property(oneof.name)
        initial = "nil"
        comment = oneof.comment
        isBoxed = false
        let shape = Oneof(
            name: oneof.name,
            index: position,
            typeName: Names.typeName(taken.contains(typeName) ? typeName + "Choice" : typeName),
            fields: fields,
            indirect: Set(fields.filter { types.isHolder($0, of: message) }.map(\.number))
        )
        // Nested in the message, so the bare name does.
        type = shape.typeName + "?"
        self.shape = .oneof(shape)
    }

    private init(_ field: FieldDefinition, of message: MessageDefinition, _ types: SwiftTypes) {
        name = Names.property(field.name)
        comment = field.comment
        let element = field.kind.swiftType(types)
        if let (key, value) = types.mapEntry(field) {
            type = "[\(key.kind.swiftType(types)): \(value.kind.swiftType(types))]"
            initial = "[:]"
            shape = .map(field, key: key, value: value)
        } else if field.isRepeated {
            type = "[\(element)]"
            initial = "[]"
            shape = .repeated(field)
        } else if field.kind.isMessage || field.isOptional {
            type = element + "?"
            initial = "nil"
            shape = .optional(field)
        } else {
            type = element
            initial = field.kind.swiftDefault
            shape = .singular(field)
        }
        isBoxed = types.isHolder(field, of: message)
    }

    /// Its name in the definition.
    var wireName: String {
        switch shape {
        case .singular(let field), .optional(let field), .repeated(let field), .map(let field, _, _):
            field.name
        case .oneof(let oneof): oneof.name
        }
    }
}

extension FieldDefinition {
    /// Its case in its oneof's enum.
    var caseName: String { Names.escaped(Names.lowerCamel(name)) }
}

extension FieldDefinition.Kind {
    var isZigzag: Bool { self == .sint32 || self == .sint64 }

    /// The type of a number, which is the same in Swift and in C; nil for what is none.
    var swiftNumber: String? {
        switch self {
        case .double: "Double"
        case .float: "Float"
        case .int32, .sint32, .sfixed32: "Int32"
        case .int64, .sint64, .sfixed64: "Int64"
        case .uint32, .fixed32: "UInt32"
        case .uint64, .fixed64: "UInt64"
        default: nil
        }
    }

    func swiftType(_ types: SwiftTypes) -> String {
        switch self {
        case .bool: "Bool"
        case .string: "String"
        case .bytes: "[UInt8]"
        case .message(let name), .enumeration(let name): types.swiftName(name)
        default: swiftNumber ?? "Never"
        }
    }

    var swiftDefault: String {
        switch self {
        case .bool: "false"
        case .string: "\"\""
        case .bytes: "[]"
        case .message: "nil"
        case .enumeration: ".init(rawValue: 0)"
        default: "0"
        }
    }
}
