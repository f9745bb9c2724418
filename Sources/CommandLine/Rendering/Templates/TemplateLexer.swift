// SPDX-License-Identifier: Apache-2.0

/// Cuts a template into text and actions, and an action into tokens.
///
/// Source followed: Go's text/template, its `lex.go`.
enum TemplateLexer {
    enum Piece {
        case text(String)
        case action([TemplateToken], source: String)
    }

    /// - Throws: for braces and quotes that do not match, and characters that mean nothing.
    static func pieces(_ template: String) throws(TemplateProblem) -> [Piece] {
        var pieces: [Piece] = []
        var rest = template[...]
        var trimsNext = false
        while true {
            let open = rest.firstRange(of: "{{")
            var text = String(rest[..<(open?.lowerBound ?? rest.endIndex)])
            if trimsNext { text = trimmed(text, atEnd: false) }
            guard let open else {
                pieces.append(.text(escapes(text)))
                return pieces
            }
            rest = rest[open.upperBound...]
            if rest.first == "-", rest.dropFirst().first?.isWhitespace == true {
                rest = rest.dropFirst()
                text = trimmed(text, atEnd: true)
            }
            pieces.append(.text(escapes(text)))
            guard let close = end(of: rest) else { throw TemplateProblem("'{{' has no '}}'") }
            var inside = rest[..<close]
            rest = rest[close...].dropFirst(2)
            trimsNext = inside.last == "-" && inside.dropLast().last?.isWhitespace == true
            if trimsNext { inside = inside.dropLast() }
            let source = trimmed(trimmed(String(inside), atEnd: true), atEnd: false)
            if source.hasPrefix("/*"), source.hasSuffix("*/") { continue }
            pieces.append(.action(try tokens(source), source: source))
        }
    }

    /// `\t` and `\n` outside of actions are a tab and a new line, as the Docker command line has it.
    private static func escapes(_ text: String) -> String {
        text.replacing("\\t", with: "\t").replacing("\\n", with: "\n")
    }

    /// The place of the `}}` that is in no quotes.
    private static func end(of text: Substring) -> String.Index? {
        var quote: Character?
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            if let open = quote {
                if character == "\\", open == "\"" {
                    index = text.index(after: index)
                    if index == text.endIndex { return nil }
                } else if character == open {
                    quote = nil
                }
            } else if character == "\"" || character == "`" {
                quote = character
            } else if text[index...].hasPrefix("}}") {
                return index
            }
            index = text.index(after: index)
        }
        return nil
    }

    private static func trimmed(_ text: String, atEnd: Bool) -> String {
        atEnd
            ? String(text.reversed().drop { $0.isWhitespace }.reversed())
            : String(text.drop { $0.isWhitespace })
    }

    private static func tokens(_ text: String) throws(TemplateProblem) -> [TemplateToken] {
        var reader = TokenReader(rest: text[...])
        var tokens: [TemplateToken] = []
        while let token = try reader.next(after: tokens.last) { tokens.append(token) }
        return tokens
    }
}

/// Reads tokens from the front of an action.
private struct TokenReader {
    var rest: Substring

    /// Nil at the end.
    mutating func next(after last: TemplateToken?) throws(TemplateProblem) -> TemplateToken? {
        let follows = rest.first.map { !$0.isWhitespace } ?? false
        rest = rest.drop { $0.isWhitespace }
        guard let first = rest.first else { return nil }
        for (sign, token) in [(":=", TemplateToken.declare), ("|", .pipe), ("(", .open), (")", .close)]
        where rest.hasPrefix(sign) {
            rest = rest.dropFirst(sign.count)
            return token
        }
        switch first {
        case ",": return take(.comma)
        case "=": return take(.assign)
        case "\"": return .string(try quoted())
        case "`": return .string(try raw())
        case "$":
            rest = rest.dropFirst()
            return .variable(name(), path())
        case "." where !(rest.dropFirst().first?.isNumber ?? false):
            let names = path()
            if names.isEmpty { rest = rest.dropFirst() }
            return last == .close && follows ? .chained(names) : .field(names)
        case _ where first.isNumber || first == "-" || first == "+" || first == ".": return try number()
        case _ where first.isLetter || first == "_": return .word(name())
        default: throw TemplateProblem("'\(first)' is not understood")
        }
    }

    private mutating func take(_ token: TemplateToken) -> TemplateToken {
        rest = rest.dropFirst()
        return token
    }

    private mutating func name() -> String {
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        rest = rest.dropFirst(name.count)
        return String(name)
    }

    /// `.A.B`: names, each after a point.
    private mutating func path() -> [String] {
        var names: [String] = []
        while rest.first == ".", let next = rest.dropFirst().first, next.isLetter || next == "_" {
            rest = rest.dropFirst()
            names.append(name())
        }
        return names
    }

    private mutating func number() throws(TemplateProblem) -> TemplateToken {
        let text = rest.prefix { $0.isNumber || $0.isLetter || "+-._".contains($0) }
        rest = rest.dropFirst(text.count)
        if let integer = Int64(text) { return .integer(integer) }
        if text.hasPrefix("0x"), let integer = Int64(text.dropFirst(2), radix: 16) {
            return .integer(integer)
        }
        guard let double = Double(text), double.isFinite else {
            throw TemplateProblem("'\(text)' is no number")
        }
        return .double(double)
    }

    private mutating func raw() throws(TemplateProblem) -> String {
        let body = rest.dropFirst()
        guard let close = body.firstIndex(of: "`") else { throw TemplateProblem("a '`' is not closed") }
        rest = body[close...].dropFirst()
        return String(body[..<close])
    }

    /// What follows a backslash in quotes, as Go has it.
    private mutating func escaped() throws(TemplateProblem) -> Character {
        let escapes: [Character: Character] = [
            "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "\"": "\"", "'": "'", "0": "\0",
            "a": "\u{7}", "b": "\u{8}", "f": "\u{c}", "v": "\u{b}",
        ]
        let digits: [Character: Int] = ["x": 2, "u": 4, "U": 8]
        guard let escape = rest.popFirst() else { throw TemplateProblem("a '\"' is not closed") }
        if let meant = escapes[escape] { return meant }
        guard let count = digits[escape] else {
            throw TemplateProblem("a '\\' in quotes is followed by none of n, t, r, 0, x, u, U, \\, \"")
        }
        let code = rest.prefix(count)
        rest = rest.dropFirst(count)
        guard code.count == count, code.allSatisfy(\.isHexDigit), let value = UInt32(code, radix: 16),
            // A byte that is no character of its own has no place in text.
            escape != "x" || value < 0x80, let scalar = Unicode.Scalar(value)
        else { throw TemplateProblem("'\\\(escape)\(code)' is no character") }
        return Character(scalar)
    }

    private mutating func quoted() throws(TemplateProblem) -> String {
        var text = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst() {
            switch character {
            case "\"": return text
            case "\\": text.append(try escaped())
            default: text.append(character)
            }
        }
        throw TemplateProblem("a '\"' is not closed")
    }
}
