// SPDX-License-Identifier: Apache-2.0

/// What a command says that was given too few or too many arguments, as the Docker command line does.
package enum ArgumentCount {
    /// - Parameters:
    ///   - message: The argument parser's.
    ///   - path: The command, and the way to it.
    /// - Returns: The sentence and the usage; nil when the message is about something else.
    package static func refusal(_ message: String, _ path: [CommandDescription]) -> (
        why: String, usage: String
    )? {
        guard let command = path.last else { return nil }
        let text = message.lowercased()
        let why: String
        if text.hasPrefix("missing expected argument") {
            why = tooFew(command.positionals)
        } else if text.contains("unexpected argument") {
            why = tooMany(command.positionals)
        } else {
            return nil
        }
        return (why, "Usage:  " + HelpPage.usage(path))
    }

    private static func tooFew(_ positionals: [CommandDescription.Positional]) -> String {
        let least = positionals.count { !$0.isOptional }
        let isExact =
            least == positionals.count && !positionals.contains { $0.isRepeating || $0.takesTheRest }
        return (isExact ? "requires " : "requires at least ") + counted(least)
    }

    private static func tooMany(_ positionals: [CommandDescription.Positional]) -> String {
        guard !positionals.isEmpty else { return "accepts no arguments" }
        let isExact = positionals.allSatisfy { !$0.isOptional }
        return (isExact ? "requires " : "accepts at most ") + counted(positionals.count)
    }

    private static func counted(_ count: Int) -> String { count == 1 ? "1 argument" : "\(count) arguments" }
}
