// SPDX-License-Identifier: Apache-2.0

/// Values that the argument parser does not see in their option's word: in `-eA=b` it takes `eA` for the option's name, and
/// for `--entrypoint=` it takes the next word.
package enum JoinedValues {
    /// Whether there may be such a word, so that it is worth to look.
    ///
    /// Of two words that are no options the second is no option's value: what follows may be somebody else's.
    /// - Parameter words: What follows the command's name.
    package static func mayBe(in words: [String]) -> Bool {
        var mayBeValue = false
        for word in words {
            let isOption = word.utf8.first == UInt8(ascii: "-")
            if isOption, isJoined(word) || word.utf8.last == UInt8(ascii: "=") { return true }
            guard isOption || mayBeValue else { return false }
            mayBeValue = isOption
        }
        return false
    }

    /// The same with such a value in a word of its own.
    /// - Parameter words: What follows the command's name; what belongs to the container's program is left alone.
    package static func rewritten(_ words: [String], of command: CommandDescription) -> [String] {
        var result: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-", word != "--" else {
                result.append(word)
                if word == "--" || command.endsOptionsEarly { break }
                continue
            }
            if word.hasPrefix("--") {
                if word.hasSuffix("="),
                    command.option(long: String(word.dropFirst(2).dropLast()))?.valueName != nil
                {
                    result += [String(word.dropLast()), ""]
                    continue
                }
                result.append(word)
                guard !word.contains("="), command.option(long: String(word.dropFirst(2)))?.valueName != nil
                else {
                    continue
                }
            } else {
                let parts = split(word, of: command)
                result += parts.words
                guard parts.takesNext else { continue }
            }
            if let value = rest.popFirst() { result.append(value) }
        }
        return result + rest
    }

    private static func isJoined(_ word: String) -> Bool {
        let bytes = word.utf8.dropFirst()
        guard bytes.count > 2, bytes.first != UInt8(ascii: "-") else { return false }
        return bytes.dropFirst().first != UInt8(ascii: "=") && bytes.contains(UInt8(ascii: "="))
    }

    private static func split(_ word: String, of command: CommandDescription) -> (
        words: [String], takesNext: Bool
    ) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst(), let option = command.option(short: String(letter)) {
            guard option.valueName != nil else { continue }
            if letters == "=" { return ([String(word.dropLast()), ""], false) }
            guard letters.first != "=", letters.contains("=") else { return ([word], letters.isEmpty) }
            return ([String(word[..<letters.startIndex]), String(letters)], false)
        }
        return ([word], false)
    }
}
