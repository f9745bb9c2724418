// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// Writes what encodes a message: from its last field to its first, as `WireWriter` goes.
struct EncoderEmitter {
    let properties: [Property]

    func write(_ text: inout SourceText) {
        text.block("package func encode(to writer: inout WireWriter)") { text in
            text.line("writer.raw(unknownFields)")
            for property in properties.sorted(by: { $0.firstNumber > $1.firstNumber }) {
                encode(property, &text)
            }
        }
    }

    private func encode(_ property: Property, _ text: inout SourceText) {
        let name = property.ownName
        switch property.shape {
        case .singular(let field):
            text.block("if \(isPresent(field, name))") { encode(field, name, &$0) }
        case .optional(let field):
            text.block("if let value = \(name)") { encode(field, "value", &$0) }
        case .repeated(let field) where field.isPacked:
            text.block("if !\(name).isEmpty") { text in
                text.line("let end = writer.count")
                text.line("for value in \(name).reversed() { \(bare(field, "value")) }")
                text.line("writer.close(\(field.number << 3 | 2), since: end)")
            }
        case .repeated(let field):
            text.block("for value in \(name).reversed()") { encode(field, "value", &$0) }
        case .map(let field, let key, let value):
            text.block("for (key, value) in \(name)") { text in
                text.line("let end = writer.count")
                if value.kind.isMessage {
                    text.line("value.encode(to: &writer)")
                    text.line("writer.close(18, since: end)")
                } else {
                    encode(value, "value", &text)
                }
                encode(key, "key", &text)
                text.line("writer.close(\(field.number << 3 | 2), since: end)")
            }
        case .oneof(let oneof):
            text.line("switch \(name) {")
            for field in oneof.fields {
                text.line("case \(field.optionalCase("let value")):")
                text.indented { encode(field, "value", &$0) }
            }
            text.line("case nil: break")
            text.line("}")
        }
    }

    /// Whether a value without presence is other than its default.
    private func isPresent(_ field: FieldDefinition, _ value: String) -> String {
        switch field.kind {
        case .string, .bytes: "!\(value).isEmpty"
        case .bool: value
        // Zero has a sign, and the negative one is not the default.
        case .double, .float: "\(value).bitPattern != 0"
        case .enumeration: "\(value).rawValue != 0"
        default: "\(value) != 0"
        }
    }

    /// The value, and before it its tag.
    private func encode(_ field: FieldDefinition, _ value: String, _ text: inout SourceText) {
        if field.kind.isMessage {
            text.line("let end = writer.count")
            text.line("\(value).encode(to: &writer)")
            text.line("writer.close(\(field.tag), since: end)")
        } else {
            text.line(bare(field, value))
            text.line("writer.tag(\(field.tag))")
        }
    }

    private func bare(_ field: FieldDefinition, _ value: String) -> String {
        switch field.kind {
        case .string: "writer.text(\(value))"
        case .bytes: "writer.bytes(\(value))"
        case .bool: "writer.varint(\(value) ? 1 : 0)"
        case .double: "writer.fixed64(\(value).bitPattern)"
        case .float: "writer.fixed32(\(value).bitPattern)"
        case .enumeration: "writer.varint(UInt64(truncatingIfNeeded: \(value).rawValue))"
        default:
            switch field.kind.wireType {
            case .fixed32: "writer.fixed32(UInt32(truncatingIfNeeded: \(value)))"
            case .fixed64: "writer.fixed64(UInt64(truncatingIfNeeded: \(value)))"
            default:
                field.kind.isZigzag
                    ? "writer.zigzag(Int64(\(value)))"
                    : "writer.varint(UInt64(truncatingIfNeeded: \(value)))"
            }
        }
    }
}

extension Property {
    /// The lowest number of its fields.
    fileprivate var firstNumber: Int {
        switch shape {
        case .singular(let field), .optional(let field), .repeated(let field), .map(let field, _, _):
            field.number
        case .oneof(let oneof): oneof.fields.map(\.number).min() ?? 0
        }
    }
}
