// SPDX-License-Identifier: Apache-2.0

/// Words of the Docker command line in the way in which the argument parser takes them.
///
/// In `-eA=b` and `-fn3` the parser takes `eA` and `fn3` for options' names, and for `--entrypoint=` it takes the next word; it
/// knows neither `--flag=true` nor a container's word that begins with three dashes.
package struct PlainWords: Hashable, Sendable {
    package let words: [String]
    /// Where, among the words of a container's program, a `--` was put that is not the user's.
    package let terminator: Int?

    /// Whether words may have to be changed, so that it is worth to look.
    ///
    /// Of two words that are no options the second is no option's value: what follows may be somebody else's.
    /// - Parameter words: What follows the command's name.
    package static func mayDiffer(from words: [String]) -> Bool {
        var mayBeValue = false
        var isProgram = false
        for word in words {
            let isOption = word.utf8.first == UInt8(ascii: "-")
            if isOption, word.hasPrefix("---") { return true }
            guard !isProgram else { continue }
            if isOption, isJoined(word) || word.utf8.last == UInt8(ascii: "=") || BooleanFlag.ends(word) {
                return true
            }
            if !isOption, !mayBeValue { isProgram = true }
            mayBeValue = isOption
        }
        return false
    }

    /// - Parameter words: What follows the command's name; what belongs to the container's program is left alone.
    package init(_ words: [String], of command: CommandDescription) {
        var result: [String] = []
        var terminator: Int?
        for part in CommandWords(words, of: command).parts {
            switch part {
            case .plain(let word): result.append(word)
            case .option(let option): result += Self.plain(option, of: command)
            case .rest(var rest):
                if rest.first != "--", let index = rest.firstIndex(where: { $0.hasPrefix("---") }) {
                    rest.insert("--", at: index)
                    // The first is the image's or the container's name.
                    terminator = index - 1
                }
                result += rest
            }
        }
        self.words = result
        self.terminator = terminator
    }

    private static func plain(_ option: CommandWords.OptionWord, of command: CommandDescription) -> [String] {
        let asTyped = [option.word] + (option.next.map { [$0] } ?? [])
        guard let description = option.option, let joined = option.joined else { return asTyped }
        let head = option.isLong ? "--" + option.name : "-" + option.flags + option.name
        if description.valueName != nil {
            guard !option.isLong else { return joined.isEmpty ? [head, ""] : asTyped }
            return [head, joined.hasPrefix("=") ? String(joined.dropFirst()) : joined]
        }
        let value = option.isLong ? joined : String(joined.dropFirst())
        switch BooleanFlag(value) {
        case .on: return [head]
        case .off where option.isLong:
            // One that is on by itself has a counterpart that turns it off.
            return command.option(long: "no-" + option.name) == nil ? [] : ["--no-" + option.name]
        case .off: return option.flags.isEmpty ? [] : ["-" + option.flags]
        case nil: return asTyped
        }
    }

    /// Letters that are flags of most commands, and are not looked at.
    private static let flags = "ditqafls"

    /// Whether there may be a value among letters.
    private static func isJoined(_ word: String) -> Bool {
        let bytes = word.utf8.dropFirst()
        guard bytes.count > 1, bytes.first != UInt8(ascii: "-") else { return false }
        return !bytes.allSatisfy { flags.utf8.contains($0) }
    }
}
