// SPDX-License-Identifier: Apache-2.0

/// Finds the option that a command does not have, in words that the argument parser has refused.
package enum FlagCheck {
    package struct Unknown: Hashable, Sendable {
        /// Without its dashes.
        package let name: String
        package let why: String
        package let advice: String
    }

    /// `unknown flag: --naem`, with what may have been meant; nil when all options are known.
    /// - Parameter words: What follows the command's name.
    package static func unknown(_ words: [String], of command: CommandDescription) -> Unknown? {
        var rest = words[...]
        while let word = rest.popFirst(), word != "--" {
            guard word.hasPrefix("-"), word != "-" else {
                if command.endsOptionsEarly { return nil }
                continue
            }
            if word.hasPrefix("--") {
                let name = String(word.dropFirst(2).prefix { $0 != "=" })
                guard let option = command.option(long: name) else {
                    return Unknown(
                        name: name,
                        why: "unknown flag: --\(name)",
                        advice: meant(long: name, command)
                    )
                }
                if option.valueName != nil, !word.contains("=") { rest = rest.dropFirst() }
            } else if let problem = unknown(shorts: word, of: command, &rest) {
                return problem
            }
        }
        return nil
    }

    private static func unknown(
        shorts word: String,
        of command: CommandDescription,
        _ rest: inout ArraySlice<String>
    ) -> Unknown? {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = command.option(short: String(letter)) else {
                return Unknown(
                    name: String(letter),
                    why: "unknown shorthand flag: '\(letter)' in \(word)",
                    advice: meant(short: letter, word, command)
                )
            }
            if option.valueName != nil {
                if letters.isEmpty { rest = rest.dropFirst() }
                return nil
            }
        }
        return nil
    }

    private static func meant(long name: String, _ command: CommandDescription) -> String {
        let known = command.options.filter { !$0.isHidden }
        if name.count == 1, let option = known.first(where: { $0.shorts.contains(name) }) {
            return "Did you mean -\(option.shorts[0])? "
        }
        let nearest = Suggestion.option(name, in: known.flatMap(\.longs))
        return nearest.map { "Did you mean --\($0)? " } ?? ""
    }

    private static func meant(short letter: Character, _ word: String, _ command: CommandDescription)
        -> String
    {
        let known = command.options.filter { !$0.isHidden }
        let name = String(word.dropFirst().prefix { $0 != "=" })
        if name.count > 2, let nearest = Suggestion.option(name, in: known.flatMap(\.longs)) {
            return "Did you mean --\(nearest)? "
        }
        let other = letter.isLowercase ? letter.uppercased() : letter.lowercased()
        if command.option(short: other) != nil { return "Did you mean -\(other)? " }
        let begins = known.compactMap { $0.longs.first { $0.hasPrefix(letter.lowercased()) } }
        return begins.count == 1 ? "Did you mean --\(begins[0])? " : ""
    }
}
