// SPDX-License-Identifier: Apache-2.0

/// Options that hold more than one value.
package enum OptionText {
    /// `NAME=value` lines from an `--env-file`: blank lines and lines that begin with `#` are skipped, a name alone takes
    /// its value from `environment`, and is left out where that has none.
    /// - Throws: the line's number and what is wrong with it.
    package static func environmentFile(_ text: String, environment: (String) -> String?) throws(Failure)
        -> [String]
    {
        var result: [String] = []
        // Some editors begin a file with it.
        let text = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
        for (index, line) in lines(of: text).enumerated() {
            let content = line.drop { $0 == " " || $0 == "\t" }
            if content.isEmpty || content.first == "#" { continue }
            let name = content.prefix { $0 != "=" }
            guard !name.isEmpty, !name.contains(where: { $0 == " " || $0 == "\t" }) else {
                throw Failure("line \(index + 1)", "'\(content)' does not begin with a name")
            }
            if let entry = Self.environment(String(content), environment: environment) {
                result.append(entry)
            }
        }
        return result
    }

    /// A carriage return and the newline after it are one `Character`.
    private static func lines(of text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    }

    /// `NAME=value` as it is; `NAME` with its value here, nil when it has none.
    package static func environment(_ text: String, environment: (String) -> String?) -> String? {
        if text.contains("=") { return text }
        return environment(text).map { text + "=" + $0 }
    }

    /// `name=value`, or `name` with an empty value.
    package static func label(_ text: String) -> (name: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        return (parts[0], parts.count == 2 ? parts[1] : "")
    }
}
