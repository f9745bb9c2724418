// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The small part of Go's templates that people use with `--format`: `{{.Name}}`, `{{.State.Pid}}`, `{{json .Config}}`,
/// with text between them; `\t` and `\n` are a tab and a new line.
package struct Template: Hashable, Sendable {
    private enum Part: Hashable, Sendable {
        case text(String)
        case field([String], asJSON: Bool)
    }

    private var parts: [Part] = []

    /// - Throws: when something stands in `{{…}}` that is no path, or the braces do not match.
    package init(_ text: String) throws(Failure) {
        var rest = text.replacing("\\t", with: "\t").replacing("\\n", with: "\n")[...]
        while let open = rest.firstRange(of: "{{") {
            parts.append(.text(String(rest[..<open.lowerBound])))
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else { throw Self.invalid(text) }
            parts.append(try Self.field(String(rest[..<close.lowerBound]), of: text))
            rest = rest[close.upperBound...]
        }
        parts.append(.text(String(rest)))
    }

    /// - Returns: `<no value>` in place of what the object does not have.
    package func text(of object: JSON) -> String {
        parts.map { part in
            switch part {
            case .text(let text): return text
            case .field(let path, let asJSON):
                var value: JSON? = object
                for name in path { value = value?[name] }
                guard let value else { return "<no value>" }
                return asJSON ? String(decoding: value.serialized(), as: UTF8.self) : Self.plain(value)
            }
        }.joined()
    }

    /// The last names of the fields, as a table's heading.
    package var fieldNames: [String] {
        parts.compactMap { part in
            guard case .field(let path, _) = part else { return nil }
            return path.last
        }
    }

    private static func field(_ text: String, of whole: String) throws(Failure) -> Part {
        var words = text.split(separator: " ")
        let asJSON = words.first == "json"
        if asJSON { words.removeFirst() }
        guard words.count == 1, let path = words.first, path.hasPrefix(".") else { throw invalid(whole) }
        return .field(path.dropFirst().split(separator: ".").map(String.init), asJSON: asJSON)
    }

    private static func invalid(_ text: String) -> Failure {
        Failure(
            "--format '\(text)'",
            "is not understood",
            advice: "write it like '{{.ID}} {{.Names}}', or use json"
        )
    }

    private static func plain(_ value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .double(let number): String(number)
        case .bool(let flag): String(flag)
        case .null: "<nil>"
        case .array(let elements): "[" + elements.map(plain).joined(separator: " ") + "]"
        case .object(let members):
            "map[" + members.map { "\($0.key):\(plain($0.value))" }.joined(separator: " ") + "]"
        }
    }
}
