// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering
import System

/// The command line as typed, turned into a command.
struct Invocation {
    private let words: [String]

    /// - Parameter arguments: The program's name first.
    init(_ arguments: [String]) throws(Failure) {
        words = try Self.withoutGlobalOptions(Array(arguments.dropFirst()))
    }

    func command() throws -> any ParsableCommand {
        let words = Self.withoutAliases(words)
        try Self.checkNames(words)
        do {
            return try Petrel.parseAsRoot(words.isEmpty ? ["--help"] : words)
        } catch {
            if Petrel.exitCode(for: error).isSuccess { throw error }
            let path = Self.commandPath(words)
            // 125 is what the Docker command line says about options that it does not understand.
            throw Failure(
                path.dropFirst().joined(separator: " "),
                Self.lowerFirst(Petrel.message(for: error)),
                advice: "See '\(path.joined(separator: " ")) --help'.",
                exitCode: 125
            )
        }
    }

    /// Takes `--root` and `--run` that come before the command into the environment, where every command looks: so they
    /// may stand before or after the command's name.
    private static func withoutGlobalOptions(_ words: [String]) throws(Failure) -> [String] {
        let names = ["--root": "PETREL_ROOT", "--run": "PETREL_RUN"]
        var rest = words[...]
        while let word = rest.first {
            let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = halves.first.flatMap({ names[$0] }) else { break }
            rest.removeFirst()
            guard let value = halves.count == 2 ? halves[1] : rest.popFirst(), !value.isEmpty else {
                throw Failure(halves[0], "needs a directory", exitCode: 125)
            }
            SystemEnvironment.set(name, value)
        }
        return Array(rest)
    }

    /// `container ls` is `container ps`, and so on: names that the Docker command line has twice.
    private static func withoutAliases(_ words: [String]) -> [String] {
        guard words.count >= 2 else { return words.first == "-v" ? ["--version"] : words }
        let aliases = [
            "container ls": "ps", "container list": "ps", "container remove": "rm", "image ls": "images",
            "image list": "images", "image rm": "rmi", "image remove": "rmi", "system events": "events",
            "system info": "info",
        ]
        guard let name = aliases["\(words[0]) \(words[1])"] else { return words }
        return (words[0] == "system" ? [] : [words[0]]) + [name] + words.dropFirst(2)
    }

    private static func checkNames(_ words: [String]) throws(Failure) {
        var path = "petrel"
        var candidates = Petrel.configuration.subcommands
        for word in words {
            if word.hasPrefix("-") || word == "help" || candidates.isEmpty { return }
            guard let next = candidates.first(where: { $0._commandName == word }) else {
                let known = candidates.map { $0._commandName }
                let nearest = Suggestion.nearest(to: word, in: known)
                let advice = nearest.map { "Did you mean '\(path) \($0)'? " } ?? ""
                throw Failure(
                    "",
                    "'\(word)' is not a \(path) command",
                    advice: advice + "See '\(path) --help'."
                )
            }
            path += " " + word
            candidates = next.configuration.subcommands
        }
    }

    private static func commandPath(_ words: [String]) -> [String] {
        var path = ["petrel"]
        var candidates = Petrel.configuration.subcommands
        for word in words {
            guard let next = candidates.first(where: { $0._commandName == word }) else { break }
            path.append(word)
            candidates = next.configuration.subcommands
        }
        return path
    }

    private static func lowerFirst(_ text: String) -> String {
        let line = text.split(separator: "\n").joined(separator: " ")
        return line.prefix(1).lowercased() + line.dropFirst()
    }
}
