// SPDX-License-Identifier: Apache-2.0

/// Text in double quotes, as Go writes it: what stands in it cannot be taken for its end, or for a line's.
package enum Quoted {
    package static func text(_ text: String) -> String {
        "\"" + text.unicodeScalars.map(escaped).joined() + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}":
            let digits = String(scalar.value, radix: 16)
            return "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
        default: return String(Character(scalar))
        }
    }
}
