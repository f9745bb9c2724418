// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// The functions of templates: Go's own, and those that the Docker command line adds. Pure.
enum TemplateFunctions {
    static let names: Set<String> = [
        "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "eq", "ne", "lt", "le",
        "gt",
        "ge", "json", "split", "join", "title", "lower", "upper", "pad", "truncate",
    ]

    /// - Parameter arguments: nil stands for a field that is not there.
    static func call(_ name: String, _ arguments: [JSON?]) throws(TemplateProblem) -> JSON? {
        switch name {
        case "and": return arguments.first { !isTrue($0) } ?? arguments.last ?? nil
        case "or": return arguments.first { isTrue($0) } ?? arguments.last ?? nil
        case "not": return .bool(!isTrue(try one(name, arguments)))
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try compare(name, arguments))
        case "len": return .integer(Int64(try length(try one(name, arguments))))
        case "index": return try index(arguments)
        case "slice": return try slice(arguments)
        case "json":
            return .string(String(decoding: (try one(name, arguments) ?? .null).serialized(), as: UTF8.self))
        case "print": return .string(arguments.map { text($0) }.joined(separator: " "))
        case "println": return .string(arguments.map { text($0) }.joined(separator: " ") + "\n")
        case "printf":
            guard case .string(let format)?? = arguments.first else {
                throw TemplateProblem("printf needs a format in quotes")
            }
            return .string(try TemplateFormat.text(format, Array(arguments.dropFirst())))
        default: return try texts(name, arguments)
        }
    }

    private static func texts(_ name: String, _ arguments: [JSON?]) throws(TemplateProblem) -> JSON? {
        switch name {
        case "upper": return .string(text(try one(name, arguments)).uppercased())
        case "lower": return .string(text(try one(name, arguments)).lowercased())
        case "title": return .string(titled(text(try one(name, arguments))))
        case "split":
            let (value, separator) = try two(name, arguments)
            let whole = text(value)
            let sign = text(separator)
            guard !sign.isEmpty else { return .array(whole.map { .string(String($0)) }) }
            return .array(
                whole.split(separator: sign, omittingEmptySubsequences: false).map { .string(String($0)) }
            )
        case "join":
            let (value, separator) = try two(name, arguments)
            guard let elements = value?.array ?? (value.map(\.isNull) ?? true ? [] : nil) else {
                throw TemplateProblem("join needs a list, not \(kind(value))")
            }
            return .string(elements.map { text($0) }.joined(separator: text(separator)))
        case "pad":
            guard arguments.count == 3, let before = arguments[1]?.integer, let after = arguments[2]?.integer,
                0...1000 ~= before, 0...1000 ~= after
            else { throw TemplateProblem("pad needs a text and two numbers of spaces up to 1000") }
            let value = text(arguments[0])
            guard !value.isEmpty else { return .string("") }
            return .string(spaces(before) + value + spaces(after))
        default:
            let (value, limit) = try two(name, arguments)
            guard let limit = limit?.integer, limit >= 0 else {
                throw TemplateProblem("truncate needs a text and a number")
            }
            return .string(String(text(value).prefix(Int(clamping: limit))))
        }
    }

    // MARK: Values

    /// Go's idea of truth: not false, 0, empty or absent.
    static func isTrue(_ value: JSON?) -> Bool {
        switch value {
        case nil, .null: false
        case .bool(let flag): flag
        case .integer(let number): number != 0
        case .double(let number): number != 0
        case .string(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object(let members): !members.isEmpty
        }
    }

    /// As Go prints it.
    static func text(_ value: JSON?) -> String {
        switch value {
        case nil: return "<no value>"
        case .null: return "<nil>"
        case .string(let text): return text
        case .integer(let number): return String(number)
        case .double(let number):
            let text = String(number)
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        case .bool(let flag): return String(flag)
        case .array(let elements): return "[" + elements.map { text($0) }.joined(separator: " ") + "]"
        case .object(let members):
            let sorted = members.sorted { $0.key < $1.key }
            return "map[" + sorted.map { "\($0.key):\(text($0.value))" }.joined(separator: " ") + "]"
        }
    }

    static func kind(_ value: JSON?) -> String {
        switch value {
        case nil: "a field that is not there"
        case .null: "nil"
        case .bool: "a truth value"
        case .integer, .double: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }

    private static func one(_ name: String, _ arguments: [JSON?]) throws(TemplateProblem) -> JSON? {
        guard arguments.count == 1 else {
            throw TemplateProblem("\(name) takes one argument, not \(arguments.count)")
        }
        return arguments[0]
    }

    private static func two(_ name: String, _ arguments: [JSON?]) throws(TemplateProblem) -> (JSON?, JSON?) {
        guard arguments.count == 2 else {
            throw TemplateProblem("\(name) takes two arguments, not \(arguments.count)")
        }
        return (arguments[0], arguments[1])
    }

    private static func spaces(_ count: Int64) -> String { String(repeating: " ", count: Int(count)) }

    private static func titled(_ text: String) -> String {
        var previous: Character = " "
        return String(
            text.map { character -> String in
                defer { previous = character }
                return previous.isLetter || previous.isNumber || previous == "'" || previous == "_"
                    ? String(character) : character.uppercased()
            }.joined()
        )
    }

    private static func length(_ value: JSON?) throws(TemplateProblem) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .array(let elements): elements.count
        case .object(let members): members.count
        case .null, nil: 0
        default: throw TemplateProblem("\(kind(value)) has no length")
        }
    }

    private static func index(_ arguments: [JSON?]) throws(TemplateProblem) -> JSON? {
        guard var value = arguments.first else { throw TemplateProblem("index needs a list or an object") }
        for key in arguments.dropFirst() {
            switch (value, key) {
            case (.array(let elements), .integer(let position)):
                guard elements.indices.contains(Int(clamping: position)) else {
                    throw TemplateProblem("index \(position) is out of range: there are \(elements.count)")
                }
                value = elements[Int(position)]
            case (.object(let members), .string(let name)):
                // Go's maps of texts give an empty text for what they do not have.
                let holdsTexts = members.allSatisfy { $0.value.string != nil }
                value = members[name] ?? (holdsTexts ? "" : nil)
            case (nil, _), (.null, _): value = ""
            default: throw TemplateProblem("\(kind(value)) cannot be indexed by \(kind(key))")
            }
        }
        return value
    }

    private static func slice(_ arguments: [JSON?]) throws(TemplateProblem) -> JSON? {
        let bounds = arguments.dropFirst().map { $0?.integer ?? -1 }
        guard let value = arguments.first, bounds.count <= 2 else {
            throw TemplateProblem("slice takes a value and at most two numbers")
        }
        let count = try length(value)
        let (from, to) = (bounds.first ?? 0, bounds.count == 2 ? bounds[1] : Int64(count))
        guard from >= 0, from <= to, to <= Int64(count) else {
            throw TemplateProblem("slice \(from) to \(to) is out of range: there are \(count)")
        }
        switch value {
        case .string(let text):
            return .string(String(decoding: Array(text.utf8)[Int(from)..<Int(to)], as: UTF8.self))
        case .array(let elements): return .array(Array(elements[Int(from)..<Int(to)]))
        default: throw TemplateProblem("\(kind(value)) cannot be sliced")
        }
    }

    private static func compare(_ name: String, _ arguments: [JSON?]) throws(TemplateProblem) -> Bool {
        guard arguments.count == 2 || (name == "eq" && arguments.count > 2) else {
            throw TemplateProblem("\(name) takes two values, not \(arguments.count)")
        }
        let first = arguments[0]
        if name == "eq" { return arguments.dropFirst().contains { isEqual(first, $0) } }
        let second = arguments[1]
        if name == "ne" { return !isEqual(first, second) }
        let isLess: Bool
        if let a = first?.double, let b = second?.double {
            isLess = a < b
        } else if let a = first?.string, let b = second?.string {
            isLess = a < b
        } else {
            throw TemplateProblem("\(name) cannot compare \(kind(first)) with \(kind(second))")
        }
        switch name {
        case "lt": return isLess
        case "le": return isLess || isEqual(first, second)
        case "gt": return !isLess && !isEqual(first, second)
        default: return !isLess
        }
    }

    private static func isEqual(_ a: JSON?, _ b: JSON?) -> Bool {
        if let a = a?.double, let b = b?.double { return a == b }
        return (a ?? .null) == (b ?? .null)
    }
}
