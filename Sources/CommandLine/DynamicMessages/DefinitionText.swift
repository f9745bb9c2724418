// SPDX-License-Identifier: Apache-2.0
internal import Definitions

extension DefinitionPool {
    /// A service, method, message, enum or extension as a definition file would have it, with its comments; types by their
    /// full names.
    package func text(of symbol: Symbol) -> String {
        var text = DefinitionText(pool: self)
        switch symbol {
        case .service(let service):
            text.heading(service.fullName, self)
            text.write(service)
        case .method(let method, let service):
            text.heading(method.fullName, self)
            text.comment(service.methods.contains(method) ? method.comment : "")
            text.write(method)
        case .message(let message):
            text.heading(message.fullName, self)
            text.write(message)
        case .enumeration(let definition):
            text.heading(definition.fullName, self)
            text.write(definition)
        case .field(let field):
            text.heading(field.fullName, self)
            text.block("extend \(field.extendee)") { $0.write(field) }
        }
        return text.lines.joined(separator: "\n")
    }
}

/// Writes definitions, line by line.
private struct DefinitionText {
    let pool: DefinitionPool
    private(set) var lines: [String] = []
    private var indent = ""
    /// Of the file that is being shown.
    private var syntax = FileDefinition.Syntax.proto3

    init(pool: DefinitionPool) { self.pool = pool }

    mutating func heading(_ name: String, _ pool: DefinitionPool) {
        guard let file = pool.file(declaring: name) else { return }
        syntax = file.syntax
        lines += ["// \(name), from \(file.name)", ""]
    }

    mutating func write(_ service: ServiceDefinition) {
        comment(service.comment)
        block("service \(service.name)") { text in
            for (index, method) in service.methods.enumerated() {
                if index > 0, !method.comment.isEmpty { text.line("") }
                text.comment(method.comment)
                text.write(method)
            }
        }
    }

    mutating func write(_ method: ServiceDefinition.Method) {
        let input = (method.clientStreams ? "stream " : "") + method.input
        let output = (method.serverStreams ? "stream " : "") + method.output
        var options = method.isDeprecated ? ["option deprecated = true;"] : []
        switch method.idempotency {
        case .unknown: break
        case .noSideEffects: options.append("option idempotency_level = NO_SIDE_EFFECTS;")
        case .idempotent: options.append("option idempotency_level = IDEMPOTENT;")
        }
        let end = options.isEmpty ? ";" : " { \(options.joined(separator: " ")) }"
        line("rpc \(method.name)(\(input)) returns (\(output))\(end)")
    }

    mutating func write(_ message: MessageDefinition) {
        comment(message.comment)
        block("message \(message.name)") { text in
            if message.isDeprecated { text.line("option deprecated = true;") }
            text.writeFields(of: message)
            text.writeReserved(of: message)
            for field in message.extensions { text.block("extend \(field.extendee)") { $0.write(field) } }
            for definition in message.enums {
                text.line("")
                text.write(definition)
            }
            for nested in message.messages where !nested.isMapEntry {
                text.line("")
                text.write(nested)
            }
        }
    }

    mutating func write(_ definition: EnumDefinition) {
        comment(definition.comment)
        block("enum \(definition.name)") { text in
            if Set(definition.values.map(\.number)).count < definition.values.count {
                text.line("option allow_alias = true;")
            }
            for value in definition.values {
                text.comment(value.comment)
                text.line("\(value.name) = \(value.number);")
            }
        }
    }

    // MARK: - Fields

    /// The fields of a oneof together, where its first one stands.
    private mutating func writeFields(of message: MessageDefinition) {
        var written: Set<Int> = []
        for field in message.fields {
            guard let oneof = field.oneof else {
                write(field)
                continue
            }
            guard written.insert(oneof).inserted else { continue }
            comment(message.oneofs[oneof].comment)
            block("oneof \(message.oneofs[oneof].name)") { text in
                for choice in message.fields where choice.oneof == oneof { text.write(choice) }
            }
        }
    }

    mutating func write(_ field: FieldDefinition) {
        comment(field.comment)
        var type = Self.name(of: field.kind)
        if let entry = pool.mapEntry(field) {
            type = "map<\(Self.name(of: entry.key.kind)), \(Self.name(of: entry.value.kind))>"
        } else if field.isRepeated {
            type = "repeated " + type
        } else if field.label == .required {
            type = "required " + type
        } else if field.isOptional {
            type = "optional " + type
        }
        let options = options(of: field)
        let list = options.isEmpty ? "" : " [\(options.joined(separator: ", "))]"
        line("\(type) \(field.name) = \(field.number)\(list);")
    }

    private func options(of field: FieldDefinition) -> [String] {
        var options: [String] = []
        if let value = field.defaultValue {
            options.append(
                "default = \(field.kind == .string ? "\"\(Self.escaped(value))\"" : Self.escaped(value))"
            )
        }
        if field.jsonName != FieldDefinition.jsonName(field.name) {
            options.append("json_name = \"\(Self.escaped(field.jsonName))\"")
        }
        if field.isRepeated, field.kind.isNumeric, field.isPacked == (syntax == .proto2) {
            options.append("packed = \(field.isPacked)")
        }
        if field.isDeprecated { options.append("deprecated = true") }
        return options
    }

    private mutating func writeReserved(of message: MessageDefinition) {
        for (word, ranges) in [
            ("extensions", message.extensionRanges), ("reserved", message.reservedRanges),
        ] where !ranges.isEmpty {
            let ranges = ranges.map { range in
                let end = range.upperBound >= WireReader.largestNumber ? "max" : String(range.upperBound)
                return range.count == 1 ? String(range.lowerBound) : "\(range.lowerBound) to \(end)"
            }
            line("\(word) \(ranges.joined(separator: ", "));")
        }
        let names = message.reservedNames.map { "\"\($0)\"" }
        if !names.isEmpty { line("reserved \(names.joined(separator: ", "));") }
    }

    private static func name(of kind: FieldDefinition.Kind) -> String {
        switch kind {
        case .message(let type), .enumeration(let type): type
        case .group(let type): "group \(type)"
        default: "\(kind)"
        }
    }

    /// Text of a definition within quotes, on one line.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            default: scalar.properties.generalCategory == .control ? "?" : String(scalar)
            }
        }.joined()
    }

    // MARK: - Lines

    mutating func comment(_ text: String) {
        guard !text.isEmpty else { return }
        for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
            line(part.isEmpty ? "//" : "// \(part)")
        }
    }

    mutating func block(_ head: String, _ body: (inout DefinitionText) -> Void) {
        line(head + " {")
        let start = lines.count
        indent += "  "
        body(&self)
        indent.removeLast(2)
        if lines.count == start { lines[start - 1] += "}" } else { line("}") }
    }

    private mutating func line(_ text: String) { lines.append(text.isEmpty ? "" : indent + text) }
}
