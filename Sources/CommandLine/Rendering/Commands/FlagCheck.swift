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
        for case .option(let word) in CommandWords(words, of: command).parts where word.option == nil {
            if word.isLong {
                return Unknown(
                    name: word.name,
                    why: "unknown flag: --\(word.name)",
                    advice: meant(long: word.name, command)
                )
            }
            return Unknown(
                name: word.name,
                why: "unknown shorthand flag: '\(word.name)' in \(word.word)",
                advice: meant(short: Character(word.name), word.word, command)
            )
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
