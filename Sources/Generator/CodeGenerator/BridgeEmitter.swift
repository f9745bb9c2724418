// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// Writes what makes a Swift message of its C structure, field by field.
///
/// The code has its loops in itself, rather than in generic functions that it calls: those would not be specialised for
/// messages of other modules.
struct BridgeEmitter {
    let message: MessageDefinition
    let properties: [Property]
    let types: SwiftTypes
    private let members: CMembers

    init(message: MessageDefinition, properties: [Property], types: SwiftTypes) {
        self.message = message
        self.properties = properties
        self.types = types
        members = CMembers(of: message)
    }

    func write(_ text: inout SourceText) {
        let prefix = Names.cPrefix(message.fullName)
        let cType = Names.cType(message.fullName)
        text.block("extension \(types.swiftName(message.fullName))") { text in
            text.line("package static let fullName = \"\(message.fullName)\"")
            let isRecursive = types.isRecursive(message.fullName)
            let arguments = "\"\(message.fullName)\", isRecursive: \(isRecursive), \(prefix)__init"
            text.line("package static let descriptor = MessageDescriptor(\(arguments))")
            text.line()
            if !properties.isEmpty {
                writeInitializer(&text)
                text.line()
            }
            text.block("package init(serialized bytes: [UInt8]) throws(MessageError)") { text in
                text.line("let unpacked = try UnpackedMessage(bytes, of: Self.descriptor)")
                text.line("try self.init(decoding: unpacked.start.assumingMemoryBound(to: \(cType).self))")
                text.line("extendLifetime(unpacked)")
            }
            text.line()
            let decoder = "package init(decoding c: UnsafePointer<\(cType)>) throws(MessageError)"
            text.block(decoder) { text in
                for property in properties { decode(property, &text) }
                writeAssembly(&text)
            }
            text.line()
            text.line("package func serialized() -> [UInt8] { WireWriter.bytes { encode(to: &$0) } }")
            text.line()
            EncoderEmitter(properties: properties).write(&text)
        }
    }

    private func writeInitializer(_ text: inout SourceText) {
        text.line("/// Every field has its default, unless given.")
        text.line("package init(")
        text.indented { text in
            for (position, property) in properties.enumerated() {
                let comma = position + 1 < properties.count ? "," : ""
                text.line("\(property.name): \(property.type) = \(property.initial)\(comma)")
            }
        }
        text.block(")") { text in
            text.line("self.init(")
            text.indented { text in
                for property in properties { text.line("\(Names.label(property.name)): \(property.name),") }
                text.line("unknownFields: []")
            }
            text.line(")")
        }
    }

    /// All values at once, by the initializer that the compiler makes: of a structure that is assigned field by
    /// field it makes a copy at the end, and counts up and down everything that is in it.
    private func writeAssembly(_ text: inout SourceText) {
        guard !properties.isEmpty else {
            text.line("unknownFields = Wire.unknownFields(c.pointee.base)")
            return
        }
        text.line("self.init(")
        text.indented { text in
            for property in properties { text.line("\(Names.label(property.name)): \(property.localName),") }
            text.line("unknownFields: Wire.unknownFields(c.pointee.base)")
        }
        text.line(")")
    }

    /// A field's member of the C structure.
    private func member(_ field: FieldDefinition) -> String { "c.pointee.\(members.field(field.number))" }

    private func count(_ field: FieldDefinition) -> String { "c.pointee.n_\(members.field(field.number))" }

    /// The number of the field of a oneof that is set.
    private func tag(_ oneof: Int) -> String { "c.pointee.\(members.oneof(oneof))_case.rawValue" }

    private func decode(_ property: Property, _ text: inout SourceText) {
        let name = property.localName
        switch property.shape {
        case .singular(let field):
            text.line("let \(name) = \(decoded(field, member(field)))")
        case .optional(let field):
            decodeOptional(field, "let \(name): \(property.type)", name, &text)
        case .repeated(let field):
            text.line("var \(name): \(property.type) = []")
            decodeList(field, name, &text)
        case .map(let field, let key, let value):
            let entries = value.kind.isMessage ? "" : ", \(member(field))"
            let capacity = "Wire.capacity(\(count(field))\(entries))"
            text.line("var \(name): \(property.type) = .init(minimumCapacity: \(capacity))")
            decodeMap(field, key, value, name, &text)
        case .oneof(let oneof):
            text.line("let \(name): \(property.type)")
            text.line("switch \(tag(oneof.index)) {")
            for field in oneof.fields {
                text.line("case \(field.number):")
                text.indented { text in
                    if field.kind.isMessage {
                        text.line(
                            "guard let value = \(member(field)) else { throw Wire.missing(Self.fullName) }"
                        )
                        text.line("\(name) = \(field.optionalCase(decoded(field, "value")))")
                    } else {
                        text.line("\(name) = \(field.optionalCase(decoded(field, member(field))))")
                    }
                }
            }
            text.line("default: \(name) = nil")
            text.line("}")
        }
    }

    private func decodeOptional(
        _ field: FieldDefinition,
        _ declaration: String,
        _ name: String,
        _ text: inout SourceText
    ) {
        if field.kind.isMessage {
            text.line(declaration)
            text.line("if let value = \(member(field)) {")
            text.line("    \(name) = \(decoded(field, "value"))")
            text.line("} else {")
            text.line("    \(name) = nil")
            text.line("}")
        } else if let oneof = field.syntheticOneof {
            let value = decoded(field, member(field))
            text.line("\(declaration) = \(tag(oneof)) == \(field.number) ? \(value) : nil")
        }
    }

    private func decodeList(_ field: FieldDefinition, _ name: String, _ text: inout SourceText) {
        text.block("if let values = \(member(field))") { text in
            if field.kind.swiftNumber != nil {
                text.line("\(name) += UnsafeBufferPointer(start: values, count: \(count(field)))")
            } else {
                text.line("\(name).reserveCapacity(\(count(field)))")
                text.block("for index in 0..<\(count(field))") { text in
                    if field.kind.isMessage {
                        text.line(
                            "guard let value = values[index] else { throw Wire.missing(Self.fullName) }"
                        )
                        text.line("\(name).append(\(decoded(field, "value")))")
                    } else {
                        text.line("\(name).append(\(decoded(field, "values[index]")))")
                    }
                }
            }
        }
    }

    private func decodeMap(
        _ field: FieldDefinition,
        _ key: FieldDefinition,
        _ value: FieldDefinition,
        _ name: String,
        _ text: inout SourceText
    ) {
        text.block("if let entries = \(member(field))") { text in
            text.block("for index in 0..<\(count(field))") { text in
                if value.kind.isMessage {
                    text.line("guard let entry = entries[index] else { throw Wire.missing(Self.fullName) }")
                    text.line("let key = \(decoded(key, "entry.pointee.key", in: field))")
                    // An entry without a value stands for the empty message.
                    text.line("if let value = entry.pointee.value {")
                    text.line("    \(name)[key] = \(decoded(value, "value"))")
                    text.line("} else {")
                    text.line("    \(name)[key] = .init()")
                    text.line("}")
                } else {
                    text.line("var key: \(key.kind.swiftType(types)) = \(key.kind.swiftDefault)")
                    text.line("var value: \(value.kind.swiftType(types)) = \(value.kind.swiftDefault)")
                    let reader = "WireReader(entries[index], of: \"\(message.fullName)\")"
                    text.block("if var entry = \(reader)") { text in
                        text.line("while let tag = try entry.tag() {")
                        text.line("    switch tag {")
                        text.line("    case \(key.tag): key = \(read(key, in: field))")
                        text.line("    case \(value.tag): value = \(read(value, in: field))")
                        text.line("    default: try entry.skip(tag)")
                        text.line("    }")
                        text.line("}")
                    }
                    text.line("\(name)[key] = value")
                }
            }
        }
    }

    /// A key or value, read from its entry.
    private func read(_ field: FieldDefinition, in map: FieldDefinition) -> String {
        let type = field.kind.swiftType(types)
        let number =
            switch field.kind.wireType {
            case .fixed32: "try entry.fixed32()"
            case .fixed64: "try entry.fixed64()"
            default: field.kind.isZigzag ? "try entry.zigzag()" : "try entry.varint()"
            }
        return switch field.kind {
        case .string: "try entry.text(\"\(message.fullName).\(map.name)\")"
        case .bytes: "try entry.bytes()"
        case .bool: "\(number) != 0"
        case .double, .float: "\(type)(bitPattern: \(number))"
        case .enumeration: "\(type)(rawValue: Int32(truncatingIfNeeded: \(number)))"
        default: "\(type)(truncatingIfNeeded: \(number))"
        }
    }

    /// The Swift value of a C member that is not a list.
    private func decoded(_ field: FieldDefinition, _ member: String, in container: FieldDefinition? = nil)
        -> String
    {
        let type = field.kind.swiftType(types)
        return switch field.kind {
        case .string: "try Wire.text(\(member), \"\(message.fullName).\((container ?? field).name)\")"
        case .bytes: "Wire.bytes(\(member))"
        case .bool: "\(member) != 0"
        case .message: "try \(type)(decoding: \(member))"
        case .enumeration: "\(type)(rawValue: \(member))"
        default: member
        }
    }
}

extension Property {
    /// What its value is called before it is a message's. The taken names are none that a property's own name has
    /// with an underscore, so no other is called so.
    fileprivate var localName: String { Self.takenNames.contains(name) ? name + "_" : name }

    /// Its name in code, where a parameter would hide it with `self` before.
    var ownName: String { Self.takenNames.contains(name) ? "self." + name : name }

    private static let takenNames: Set = [
        "c", "end", "entries", "entry", "index", "key", "tag", "value", "values", "writer",
    ]
}

extension FieldDefinition {
    /// Number and wire type of one value.
    var tag: Int { number << 3 | kind.wireType.rawValue }

    /// Its case's constructor or pattern where an optional is expected, whose own cases have names too.
    func optionalCase(_ payload: String) -> String {
        let bare = ".\(caseName)(\(payload))"
        return ["none", "some"].contains(caseName) ? ".some(\(bare))" : bare
    }
}
