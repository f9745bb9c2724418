// SPDX-License-Identifier: Apache-2.0

/// `--flag=true` and `--flag=false`, which the Docker command line takes: the first is the flag, the second is none.
package enum BooleanFlag: Sendable {
    case on, off

    private static let truths = ["true", "1", "t", "T", "True", "TRUE"]
    private static let lies = ["false", "0", "f", "F", "False", "FALSE"]

    /// Nil for what is neither.
    package init?(_ text: String) {
        if Self.truths.contains(text) {
            self = .on
        } else if Self.lies.contains(text) {
            self = .off
        } else {
            return nil
        }
    }

    /// The value of an option that is true or false.
    package static func isOn(_ text: String, option: String) throws(Failure) -> Bool {
        guard let flag = BooleanFlag(text) else {
            throw Failure("\(option) '\(text)'", "is neither true nor false", exitCode: 125)
        }
        return flag == .on
    }

    /// Whether a word ends as such a flag does.
    static func ends(_ word: String) -> Bool {
        guard let equals = word.lastIndex(of: "=") else { return false }
        return BooleanFlag(String(word[word.index(after: equals)...])) != nil
    }
}
