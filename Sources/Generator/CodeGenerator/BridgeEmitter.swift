// SPDX-License-Identifier: Apache-2.0

/// Writes the code between one Swift message and its C structure, field by field.
struct BridgeEmitter {
    let message: MessageDefinition
    let properties: [Property]
    let index: TypeIndex

    func write(_ text: inout SourceText) {
        let prefix = Names.cPrefix(message.fullName)
        let cType = Names.cType(message.fullName)
        text.block("extension \(index.swiftName(message.fullName))") { text in
            text.line("package static let fullName = \"\(message.fullName)\"")
            text.line("package static let isRecursive = \(index.isRecursive(message.fullName))")
            text.line()
            text.block("package static func initialize(_ c: UnsafeMutablePointer<\(cType)>)") { text in
                text.line("\(prefix)__init(c)")
            }
            text.line()
            let decoder = "package init(decoding c: UnsafePointer<\(cType)>) throws(MessageError)"
            text.block(decoder) { writeDecoder(&$0) }
            text.line()
            let encoder = "package func encode(into c: UnsafeMutablePointer<\(cType)>, _ arena: Arena)"
            text.block(encoder) { text in
                for property in properties { encode(property, &text) }
                text.line("arena.keep(unknownFields, in: &c.pointee.base)")
            }
        }
    }

    // MARK: - From C

    private func writeDecoder(_ text: inout SourceText) {
        if properties.isEmpty {
            text.line("self.init()")
        } else {
            text.line("self.init(")
            text.indented { text in
                for (position, property) in properties.enumerated() {
                    let comma = position + 1 < properties.count ? "," : ""
                    decode(property, comma, &text)
                }
            }
            text.line(")")
        }
        text.line("unknownFields = Wire.unknownFields(c.pointee.base)")
    }

    private func decode(_ property: Property, _ comma: String, _ text: inout SourceText) {
        let label = property.name.filter { $0 != "`" }
        switch property.shape {
        case .singular(let field):
            text.line("\(label): \(decoded(field, "c.pointee." + Names.cField(field.name)))\(comma)")
        case .optional(let field):
            let value = decoded(field, "c.pointee." + Names.cField(field.name))
            if field.isOptional, let oneof = field.oneof, oneof < message.oneofs.count {
                let tag = "c.pointee.\(message.oneofs[oneof])_case.rawValue == \(field.number)"
                text.line("\(label): \(tag) ? \(value) : nil\(comma)")
            } else {
                text.line("\(label): \(value)\(comma)")
            }
        case .repeated(let field):
            let member = Names.cField(field.name)
            let element =
                if case .message = field.kind { "try Wire.element($0)" } else { decoded(field, "$0") }
            let body =
                element.hasPrefix("try ")
                ? "{ (value) throws(MessageError) in \(element) }" : "{ \(element) }"
            let closure = element.hasPrefix("try ") ? body.replacing("$0", with: "value") : body
            let call = element.hasPrefix("try ") ? "try Wire.array" : "Wire.array"
            text.line("\(label): \(call)(c.pointee.n_\(member), c.pointee.\(member)) \(closure)\(comma)")
        case .map(let field, let key, let value):
            let member = Names.cField(field.name)
            text.line("\(label): try Wire.map(")
            text.line("    c.pointee.n_\(member), c.pointee.\(member)")
            text.line(") { (entry) throws(MessageError) in")
            let keyText = decoded(key, "entry.pointee.key", in: field)
            text.line("    (\(keyText), \(mapValue(value, "entry.pointee.value", in: field)))")
            text.line("}\(comma)")
        case .oneof(let name, let fields):
            text.line("\(label): try { () throws(MessageError) -> \(property.type) in")
            text.line("    switch c.pointee.\(name)_case.rawValue {")
            for field in fields {
                let constructor = ".\(Names.escaped(Names.lowerCamel(field.name)))"
                let member = "c.pointee." + Names.cField(field.name)
                if case .message = field.kind {
                    text.line("    case \(field.number): \(constructor)(try Wire.element(\(member)))")
                } else {
                    text.line("    case \(field.number): \(constructor)(\(decoded(field, member)))")
                }
            }
            text.line("    default: nil")
            text.line("    }")
            text.line("}()\(comma)")
        }
    }

    private func mapValue(_ value: FieldDefinition, _ member: String, in field: FieldDefinition) -> String {
        guard case .message = value.kind else { return decoded(value, member, in: field) }
        // An entry without a value stands for the empty message.
        return "try Wire.message(\(member)) ?? \(value.kind.swiftType(index))()"
    }

    /// The Swift value of a C member that is not a list.
    private func decoded(_ field: FieldDefinition, _ member: String, in container: FieldDefinition? = nil)
        -> String
    {
        switch field.kind {
        case .string: "try Wire.text(\(member), \"\(message.fullName).\((container ?? field).name)\")"
        case .bytes: "Wire.bytes(\(member))"
        case .bool: "\(member) != 0"
        case .message: "try Wire.message(\(member))"
        case .enumeration: "\(field.kind.swiftType(index))(rawValue: \(member))"
        default: member
        }
    }

    // MARK: - To C

    private func encode(_ property: Property, _ text: inout SourceText) {
        switch property.shape {
        case .singular(let field):
            text.line("c.pointee.\(Names.cField(field.name)) = \(encoded(field, property.name))")
        case .optional(let field):
            let member = Names.cField(field.name)
            if field.isOptional, let oneof = field.oneof, oneof < message.oneofs.count {
                text.block("if let value = \(property.name)") { text in
                    text.line("c.pointee.\(message.oneofs[oneof])_case = .init(rawValue: \(field.number))")
                    text.line("c.pointee.\(member) = \(encoded(field, "value"))")
                }
            } else {
                text.line("c.pointee.\(member) = arena.message(\(property.name))")
            }
        case .repeated(let field):
            let member = Names.cField(field.name)
            text.line("c.pointee.n_\(member) = \(property.name).count")
            text.line("c.pointee.\(member) = arena.array(\(property.name)) { \(encoded(field, "$0")) }")
        case .map(let field, let key, let value):
            let member = Names.cField(field.name)
            let prefix: String = if case .message(let name) = field.kind { Names.cPrefix(name) } else { "" }
            text.line("c.pointee.n_\(member) = \(property.name).count")
            text.line(
                "c.pointee.\(member) = arena.map(\(property.name), \(prefix)__init) { entry, key, value in"
            )
            text.line("    entry.pointee.key = \(encoded(key, "key"))")
            text.line("    entry.pointee.value = \(encoded(value, "value"))")
            text.line("}")
        case .oneof(let name, let fields):
            text.line("switch \(property.name) {")
            for field in fields {
                text.line("case .\(Names.escaped(Names.lowerCamel(field.name)))(let value):")
                text.line("    c.pointee.\(name)_case = .init(rawValue: \(field.number))")
                text.line("    c.pointee.\(Names.cField(field.name)) = \(encoded(field, "value"))")
            }
            text.line("case nil: break")
            text.line("}")
        }
    }

    private func encoded(_ field: FieldDefinition, _ value: String) -> String {
        switch field.kind {
        case .string: "arena.text(\(value))"
        case .bytes: "arena.bytes(\(value))"
        case .bool: "\(value) ? 1 : 0"
        case .message: "arena.message(\(value))"
        case .enumeration: "\(value).rawValue"
        default: value
        }
    }
}
