// SPDX-License-Identifier: Apache-2.0

/// Writes the code between one Swift message and its C structure, field by field.
struct BridgeEmitter {
    let message: MessageDefinition
    let properties: [Property]
    let index: TypeIndex
    let members: CMembers

    init(message: MessageDefinition, properties: [Property], index: TypeIndex) {
        self.message = message
        self.properties = properties
        self.index = index
        members = CMembers(of: message)
    }

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

    /// A field's member of the C structure.
    private func member(_ field: FieldDefinition) -> String { "c.pointee.\(members.field(field.number))" }

    private func count(_ field: FieldDefinition) -> String { "c.pointee.n_\(members.field(field.number))" }

    /// The member that says which field of a oneof is set.
    private func tag(_ oneof: Int) -> String { "c.pointee.\(members.oneof(oneof))_case" }

    /// The synthetic oneof of a field declared `optional`.
    private func presence(_ field: FieldDefinition) -> Int? { field.isOptional ? field.oneof : nil }

    /// The property, where the parameters of the encoder would hide it.
    private func own(_ property: Property) -> String {
        ["c", "arena"].contains(property.name) ? "self." + property.name : property.name
    }

    /// A case's constructor or pattern where an optional is expected, whose own cases have names too.
    private func optionalCase(_ field: FieldDefinition, _ payload: String) -> String {
        let bare = ".\(field.caseName)(\(payload))"
        return ["none", "some"].contains(field.caseName) ? ".some(\(bare))" : bare
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
        let label = Names.label(property.name)
        switch property.shape {
        case .singular(let field):
            text.line("\(label): \(decoded(field, member(field)))\(comma)")
        case .optional(let field):
            let value = decoded(field, member(field))
            if let oneof = presence(field) {
                text.line("\(label): \(tag(oneof)).rawValue == \(field.number) ? \(value) : nil\(comma)")
            } else {
                text.line("\(label): \(value)\(comma)")
            }
        case .repeated(let field):
            text.line("\(label): \(decodedList(field))\(comma)")
        case .map(let field, let key, let value):
            text.line("\(label): try Wire.map(")
            text.line("    \(count(field)), \(member(field))")
            text.line(") { (entry) throws(MessageError) in")
            let keyText = decoded(key, "entry.pointee.key", in: field)
            text.line("    (\(keyText), \(mapValue(value, "entry.pointee.value", in: field)))")
            text.line("}\(comma)")
        case .oneof(let oneof):
            text.line("\(label): try { () throws(MessageError) -> \(property.type) in")
            text.line("    switch \(tag(oneof.index)).rawValue {")
            for field in oneof.fields {
                let value =
                    field.kind.isMessage
                    ? "try Wire.element(\(member(field)))" : decoded(field, member(field))
                text.line("    case \(field.number): \(optionalCase(field, value))")
            }
            text.line("    default: nil")
            text.line("    }")
            text.line("}()\(comma)")
        }
    }

    private func decodedList(_ field: FieldDefinition) -> String {
        let element = field.kind.isMessage ? "try Wire.element($0)" : decoded(field, "$0")
        let list = "Wire.array(\(count(field)), \(member(field)))"
        guard element.hasPrefix("try ") else { return "\(list) { \(element) }" }
        let body = element.replacing("$0", with: "value")
        return "try \(list) { (value) throws(MessageError) in \(body) }"
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
        case .double, .float: "\(field.kind.swiftType(index))(bitPattern: \(member))"
        case .message: "try Wire.message(\(member))"
        case .enumeration: "\(field.kind.swiftType(index))(rawValue: \(member))"
        default: member
        }
    }

    // MARK: - To C

    private func encode(_ property: Property, _ text: inout SourceText) {
        switch property.shape {
        case .singular(let field):
            text.line("\(member(field)) = \(encoded(field, own(property)))")
        case .optional(let field):
            if let oneof = presence(field) {
                text.block("if let value = \(own(property))") { text in
                    text.line("\(tag(oneof)) = .init(rawValue: \(field.number))")
                    text.line("\(member(field)) = \(encoded(field, "value"))")
                }
            } else {
                text.line("\(member(field)) = arena.message(\(own(property)))")
            }
        case .repeated(let field):
            let list = own(property)
            text.line("\(count(field)) = \(list).count")
            text.line("\(member(field)) = arena.array(\(list)) { \(encoded(field, "$0")) }")
        case .map(let field, let key, let value):
            let prefix: String = if case .message(let name) = field.kind { Names.cPrefix(name) } else { "" }
            let map = own(property)
            text.line("\(count(field)) = \(map).count")
            text.line("\(member(field)) = arena.map(\(map), \(prefix)__init) { entry, key, value in")
            text.line("    entry.pointee.key = \(encoded(key, "key"))")
            text.line("    entry.pointee.value = \(encoded(value, "value"))")
            text.line("}")
        case .oneof(let oneof):
            text.line("switch \(own(property)) {")
            for field in oneof.fields {
                text.line("case \(optionalCase(field, "let value")):")
                text.line("    \(tag(oneof.index)) = .init(rawValue: \(field.number))")
                text.line("    \(member(field)) = \(encoded(field, "value"))")
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
        case .double, .float: "\(value).bitPattern"
        case .message: "arena.message(\(value))"
        case .enumeration: "\(value).rawValue"
        default: value
        }
    }
}
