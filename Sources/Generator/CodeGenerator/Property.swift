// SPDX-License-Identifier: Apache-2.0

/// One stored property of a generated message: a field, or a oneof.
struct Property {
    enum Shape {
        case singular(FieldDefinition)
        /// Has presence: a message, or a scalar declared `optional`.
        case optional(FieldDefinition)
        case repeated(FieldDefinition)
        case map(FieldDefinition, key: FieldDefinition, value: FieldDefinition)
        case oneof(String, [FieldDefinition])
    }

    /// Escaped, for use in code.
    let name: String
    let type: String
    let initial: String
    let comment: String
    let shape: Shape

    /// A message's properties in the order of declaration; a oneof stands where its first field does.
    static func all(of message: MessageDefinition, _ index: TypeIndex) throws(GeneratorError) -> [Property] {
        var result: [Property] = []
        var seen: Set<Int> = []
        for field in message.fields {
            if let oneof = field.oneof, !field.isOptional {
                guard seen.insert(oneof).inserted, oneof < message.oneofs.count else { continue }
                let fields = message.fields.filter { $0.oneof == oneof && !$0.isOptional }
                result.append(Property(oneof: message.oneofs[oneof], fields, of: message))
            } else {
                try result.append(Property(field, of: message, index))
            }
        }
        return result
    }

    private init(oneof name: String, _ fields: [FieldDefinition], of message: MessageDefinition) {
        self.name = Names.escaped(Names.lowerCamel(name))
        // Nested in the message, so the bare name does.
        type = Names.typeName(Names.upperCamel(name)) + "?"
        initial = "nil"
        comment = ""
        shape = .oneof(name, fields)
    }

    private init(_ field: FieldDefinition, of message: MessageDefinition, _ index: TypeIndex)
        throws(GeneratorError)
    {
        name = Names.escaped(Names.lowerCamel(field.name))
        comment = field.comment
        let element = field.kind.swiftType(index)
        if let entry = index.mapEntry(field), entry.fields.count == 2 {
            let (key, value) = (entry.fields[0], entry.fields[1])
            type = "[\(key.kind.swiftType(index)): \(value.kind.swiftType(index))]"
            initial = "[:]"
            shape = .map(field, key: key, value: value)
        } else if field.isRepeated {
            type = "[\(element)]"
            initial = "[]"
            shape = .repeated(field)
        } else if case .message(let name) = field.kind {
            guard !index.embeds(name, message.fullName) else {
                throw .unsupported(
                    element: message.fullName + "." + field.name,
                    "a message that holds itself"
                )
            }
            type = element + "?"
            initial = "nil"
            shape = .optional(field)
        } else if field.isOptional {
            type = element + "?"
            initial = "nil"
            shape = .optional(field)
        } else {
            type = element
            initial = field.kind.swiftDefault
            shape = .singular(field)
        }
    }
}

extension FieldDefinition.Kind {
    func swiftType(_ index: TypeIndex) -> String {
        switch self {
        case .double: "Double"
        case .float: "Float"
        case .int32: "Int32"
        case .int64: "Int64"
        case .uint32: "UInt32"
        case .uint64: "UInt64"
        case .bool: "Bool"
        case .string: "String"
        case .bytes: "[UInt8]"
        case .message(let name), .enumeration(let name): index.swiftName(name)
        }
    }

    var swiftDefault: String {
        switch self {
        case .double, .float, .int32, .int64, .uint32, .uint64: "0"
        case .bool: "false"
        case .string: "\"\""
        case .bytes: "[]"
        case .message: "nil"
        case .enumeration: ".init(rawValue: 0)"
        }
    }
}
