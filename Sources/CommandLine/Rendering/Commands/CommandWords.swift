// SPDX-License-Identifier: Apache-2.0

/// The words after a command's name, told apart as the Docker command line does: options with their values, up to `--` or, where
/// the rest is a container's program, up to the first word that is none.
struct CommandWords {
    enum Part: Hashable {
        case option(OptionWord)
        /// No option.
        case plain(String)
        /// Not looked at: it begins with `--`, or with what comes before a container's program.
        case rest([String])
    }

    /// A word that is an option, or several letters.
    struct OptionWord: Hashable {
        /// As typed.
        let word: String
        let isLong: Bool
        /// Letters before the last one, all of which are flags.
        let flags: String
        /// Without dashes and value: the long name, or the last letter that counts.
        let name: String
        /// Nil: the command has none of this name.
        let option: CommandDescription.Option?
        /// What follows the name in the same word: for a long one after its `=`, for a letter with it.
        let joined: String?
        /// The word after it, if that is its value.
        var next: String?
    }

    let parts: [Part]

    /// - Parameter words: What follows the command's name.
    init(_ words: [String], of command: CommandDescription) {
        var parts: [Part] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-", word != "--" else {
                if word == "--" || command.endsOptionsEarly {
                    parts.append(.rest([word] + rest))
                    break
                }
                parts.append(.plain(word))
                continue
            }
            var option = word.hasPrefix("--") ? Self.long(word, command) : Self.short(word, command)
            if option.option?.valueName != nil, option.joined == nil { option.next = rest.popFirst() }
            parts.append(.option(option))
        }
        self.parts = parts
    }

    private static func long(_ word: String, _ command: CommandDescription) -> OptionWord {
        let halves = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            .map(String.init)
        return OptionWord(
            word: word,
            isLong: true,
            flags: "",
            name: halves[0],
            option: command.option(long: halves[0]),
            joined: halves.count == 2 ? halves[1] : nil
        )
    }

    private static func short(_ word: String, _ command: CommandDescription) -> OptionWord {
        var flags = ""
        var letters = word.dropFirst()
        while true {
            // There is one: a lone `-` does not come here, and the loop goes on only where letters are left.
            let letter = letters.removeFirst()
            let option = command.option(short: String(letter))
            if let option, option.valueName == nil, !letters.isEmpty, letters.first != "=" {
                flags.append(letter)
                continue
            }
            return OptionWord(
                word: word,
                isLong: false,
                flags: flags,
                name: String(letter),
                option: option,
                joined: letters.isEmpty ? nil : String(letters)
            )
        }
    }
}
