// SPDX-License-Identifier: Apache-2.0

/// The options of `run` that most people use, as words: a command that has only these is parsed sooner.
package enum UsualOptions {
    /// By their long names; a letter is a short one.
    package static let flags = [
        "detach", "d", "rm", "privileged", "read-only", "interactive", "i", "tty", "t", "quiet", "q",
    ]
    package static let valued = [
        "name", "env", "e", "env-file", "volume", "v", "workdir", "w", "user", "u", "entrypoint", "hostname",
        "h", "restart",
        "memory", "m", "cpus", "pids-limit", "cap-add", "cap-drop", "network", "net", "label", "l", "attach",
        "a",
        "stop-signal", "stop-timeout", "pull", "cidfile",
    ]

    /// Whether no other option stands before the first word that is none, which is the image.
    /// - Parameter words: What follows the command's name.
    package static func suffice(for words: [String]) -> Bool {
        var rest = words[...]
        while let word = rest.popFirst(), word.utf8.first == UInt8(ascii: "-"), word.utf8.count > 1 {
            guard let takesNext = word.hasPrefix("--") ? long(word) : short(word) else { return false }
            if takesNext { rest = rest.dropFirst() }
        }
        return true
    }

    /// - Returns: Whether the next word belongs to it; nil: it is another one.
    private static func long(_ word: String) -> Bool? {
        let name = word.utf8.dropFirst(2).prefix { $0 != UInt8(ascii: "=") }
        let isWhole = name.endIndex == word.endIndex
        let isThis: (String) -> Bool = { $0.utf8.count > 1 && $0.utf8.elementsEqual(name) }
        if flags.contains(where: isThis) { return isWhole ? false : nil }
        return valued.contains(where: isThis) ? isWhole : nil
    }

    private static func short(_ word: String) -> Bool? {
        var letters = word.utf8.dropFirst()
        while let letter = letters.popFirst() {
            let isThis: (String) -> Bool = { $0.utf8.count == 1 && $0.utf8.first == letter }
            if valued.contains(where: isThis) { return letters.isEmpty }
            guard flags.contains(where: isThis) else { return nil }
        }
        return false
    }
}
