// SPDX-License-Identifier: Apache-2.0

/// `--flag=true` and `--flag=false`, which the Docker command line takes: the first is the flag, the second is none.
package enum BooleanFlags {
    private static let truths = ["true", "1", "t", "T", "True", "TRUE"]
    private static let lies = ["false", "0", "f", "F", "False", "FALSE"]

    /// The value of an option that is true or false.
    package static func isOn(_ text: String, option: String) throws(Failure) -> Bool {
        if truths.contains(text) { return true }
        guard lies.contains(text) else {
            throw Failure("\(option) '\(text)'", "is neither true nor false", exitCode: 125)
        }
        return false
    }

    /// Whether words may hold such a flag, so that it is worth to look.
    package static func mayBe(in words: [String]) -> Bool {
        words.contains { word in
            word.hasPrefix("-") && (truths + lies).contains { word.hasSuffix("=" + $0) }
        }
    }

    /// - Parameter words: What follows the command's name; what belongs to the container's program is left alone.
    package static func rewritten(_ words: [String], of command: CommandDescription) -> [String] {
        var result: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-", word != "--" else {
                result.append(word)
                if word == "--" || command.endsOptionsEarly { return result + rest }
                continue
            }
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init
            )
            let name =
                halves[0].hasPrefix("--") ? String(halves[0].dropFirst(2)) : String(halves[0].dropFirst())
            let option =
                halves[0].hasPrefix("--")
                ? command.option(long: name) : command.option(short: String(name.suffix(1)))
            guard let option else {
                result.append(word)
                continue
            }
            if option.valueName != nil {
                result.append(word)
                if halves.count == 1, let value = rest.popFirst() { result.append(value) }
            } else if halves.count == 2, truths.contains(halves[1]) {
                result.append(halves[0])
            } else if halves.count == 2, lies.contains(halves[1]) {
                // One that is on by itself has a counterpart that turns it off.
                if halves[0].hasPrefix("--"), command.option(long: "no-" + name) != nil {
                    result.append("--no-" + name)
                }
            } else {
                result.append(word)
            }
        }
        return result
    }
}
