// SPDX-License-Identifier: Apache-2.0

/// What follows the name of a command, written as most people do: options of a table, and for one that runs a program in a
/// container an image or a container, and the program.
///
/// The argument parser takes two milliseconds to learn what a command's options are, of some twenty that a container takes to
/// be made and to run. It reads all words that are not as plain as these, and says what is wrong with them.
package struct UsualWords: Hashable, Sendable {
    /// Options by their names, without dashes; a letter is a short one.
    package struct Table: Sendable {
        package let flags: [String]
        package let valued: [String]
    }

    package struct Option: Hashable, Sendable {
        package let name: String
        /// nil: a flag.
        package let value: String?
    }

    package static let run = Table(
        flags: [
            "detach", "d", "rm", "privileged", "read-only", "interactive", "i", "tty", "t", "quiet", "q",
        ],
        valued: [
            "name", "env", "e", "env-file", "volume", "v", "workdir", "w", "user", "u", "entrypoint",
            "hostname", "h", "restart", "memory", "m", "cpus", "pids-limit", "cap-add", "cap-drop", "network",
            "net", "label", "l", "attach", "a", "stop-signal", "stop-timeout", "pull", "cidfile",
        ]
    )
    package static let exec = Table(
        flags: ["detach", "d", "interactive", "i", "tty", "t", "privileged"],
        valued: ["detach-keys", "env", "e", "env-file", "user", "u", "workdir", "w"]
    )

    package static let ps = Table(
        flags: ["all", "a", "quiet", "q", "no-trunc", "size", "s", "latest", "l"],
        valued: ["filter", "f", "last", "n", "format"]
    )

    package let options: [Option]
    /// The image, or the container.
    package let subject: String
    package let program: [String]

    /// - Parameter words: What follows the command's name.
    /// - Returns: nil when there is any other option, or something is missing or empty.
    package init?(_ words: [String], _ table: Table) {
        var rest = words[...]
        guard let options = Self.options(&rest, table) else { return nil }
        self.options = options
        // What a parser makes of a terminator there, it may say itself.
        guard let subject = rest.popFirst(), !subject.isEmpty, rest.first != "--" else { return nil }
        self.subject = subject
        program = Array(rest)
    }

    /// Of a command that takes nothing but options.
    /// - Returns: nil when there is any other word, or something is missing or empty.
    package static func options(_ words: [String], _ table: Table) -> [Option]? {
        var rest = words[...]
        guard let options = options(&rest, table), rest.isEmpty else { return nil }
        return options
    }

    private static func options(_ rest: inout ArraySlice<String>, _ table: Table) -> [Option]? {
        var options: [Option] = []
        while let word = rest.first, word.utf8.first == UInt8(ascii: "-"), word.utf8.count > 1 {
            rest.removeFirst()
            let isRead =
                word.hasPrefix("--")
                ? long(word, table, &rest, &options) : short(word, table, &rest, &options)
            guard isRead else { return nil }
        }
        return options
    }

    private static func long(
        _ word: String,
        _ table: Table,
        _ rest: inout ArraySlice<String>,
        _ options: inout [Option]
    ) -> Bool {
        let text = word.dropFirst(2)
        let end = text.utf8.firstIndex(of: UInt8(ascii: "=")) ?? text.endIndex
        let name = String(text[..<end])
        guard name.utf8.count > 1 else { return false }
        if table.flags.contains(name) {
            options.append(Option(name: name, value: nil))
            return end == text.endIndex
        }
        guard table.valued.contains(name) else { return false }
        let joined = end < text.endIndex ? String(text[text.utf8.index(after: end)...]) : nil
        return add(name, joined ?? rest.popFirst(), &options)
    }

    private static func short(
        _ word: String,
        _ table: Table,
        _ rest: inout ArraySlice<String>,
        _ options: inout [Option]
    ) -> Bool {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            let name = String(letter)
            if table.valued.contains(name) {
                return letters.first != "="
                    && add(name, letters.isEmpty ? rest.popFirst() : String(letters), &options)
            }
            guard table.flags.contains(name) else { return false }
            options.append(Option(name: name, value: nil))
        }
        return true
    }

    private static func add(_ name: String, _ value: String?, _ options: inout [Option]) -> Bool {
        guard let value, !value.isEmpty else { return false }
        options.append(Option(name: name, value: value))
        return true
    }
}
