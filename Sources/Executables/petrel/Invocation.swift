// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Events
import Rendering
import Suite
import System

/// The command line as typed, turned into a command.
struct Invocation {
    private let words: [String]

    /// What is called by its name: every command that runs is asynchronous, whether it waits or not.
    private enum Target {
        case command(any AsyncParsableCommand.Type)
        case group(any ParsableCommand.Type)

        var type: any ParsableCommand.Type {
            switch self {
            case .command(let type): type
            case .group(let type): type
            }
        }
    }

    /// Commands that wait for nobody but the engine; what a container writes to a reader who is slow, `Screen.copy` sees to.
    private static let quick = [
        "create", "exec", "images", "inspect", "kill", "pause", "port", "ps", "rename", "restart", "rm",
        "run", "start",
        "stop", "top", "unpause", "update", "wait",
    ]

    /// - Parameter arguments: The program's name first.
    init(_ arguments: [String]) throws(Failure) {
        words = try Self.withoutGlobalOptions(Array(arguments.dropFirst()))
    }

    /// Where the command's task runs. Quick commands run on the thread that moves the engine's bytes, so that no answer has to
    /// wake another one; nil: in the shared pool, for all others may hold up their thread, with a disk, or a terminal that asks.
    var executor: EventLoop? { Self.quick.contains(Self.withoutAliases(words).first ?? "") ? .shared : nil }

    /// What is to be done.
    enum Work {
        case command(any AsyncParsableCommand)
        /// Read without the argument parser.
        case run(RunOrder)
        case exec(ExecOrder)
        case ps(PsOrder)

        /// Of those that run on the loop: it may ask for signals, or leave something at a terminal or a container that a signal must
        /// not leave so.
        var takesSignals: Bool {
            switch self {
            case .command(let command): command is Run || command is Exec || command is Start
            case .run(let order): !order.detaches
            case .exec: true
            case .ps: false
            }
        }

        @concurrent func carryOut() async throws {
            switch self {
            case .command(var command): try await command.run()
            case .run(let order): try await order.carryOut(EngineConnection(SuiteLocation()))
            case .exec(let order): try await order.carryOut(EngineConnection(SuiteLocation()))
            case .ps(let order): try await order.carryOut(EngineConnection(SuiteLocation()))
            }
        }
    }

    /// - Throws: `HelpRequested`; a `Failure`; or what the argument parser throws for `--version`.
    func work() throws -> Work {
        if words.isEmpty { throw HelpRequested(words: []) }
        if words.first == "help" {
            let topic = Self.withoutAliases(Array(words.dropFirst()))
            _ = try Self.resolve(topic)
            throw HelpRequested(words: topic)
        }
        var words = Self.withoutAliases(words)
        let (target, path) = try Self.resolve(words)
        var rest = Array(words.dropFirst(path.count - 1))
        var terminator: Int?
        if PlainWords.mayDiffer(from: rest) {
            (rest, terminator) = try Self.plain(rest, of: target)
            words = words.prefix(path.count - 1) + rest
        }
        do {
            switch target {
            case .command(let type):
                if terminator == nil, let work = try Self.usual(type, rest) { return work }
                return .command(Self.without(terminator, try Self.parse(type, rest, path)))
            case .group:
                // Where options come between a group and its command, only the parser knows which that is.
                let command = try Petrel.parseAsRoot(words) as? any AsyncParsableCommand
                guard let command else { throw HelpRequested(words: Array(path.dropFirst())) }
                return .command(command)
            }
        } catch let help as HelpRequested {
            throw help
        } catch {
            if target.type.exitCode(for: error).isSuccess {
                // For programs that want all of the commands at once, and for the release.
                if ["--version", "--experimental-dump-help"].contains(words.first) { throw error }
                throw HelpRequested(words: Array(path.dropFirst()))
            }
            throw try Self.failure(target.type.message(for: error), words, path)
        }
    }

    /// What the argument parser does not take as the Docker command line does, said in its way.
    /// - Parameter words: What follows the name of the command, or of the group.
    private static func plain(_ words: [String], of target: Target) throws(Failure) -> ([String], Int?) {
        let path = try CommandTree.command(target.type).path(of: words)
        guard let command = path.last else { return (words, nil) }
        let plain = PlainWords(Array(words.dropFirst(path.count - 1)), of: command)
        return (words.prefix(path.count - 1) + plain.words, plain.terminator)
    }

    /// Takes out of the container's program what `PlainWords` has put in for the parser's sake.
    private static func without(
        _ terminator: Int?,
        _ command: any AsyncParsableCommand
    ) -> any AsyncParsableCommand {
        guard let terminator, var taker = command as? any ProgramTaker else { return command }
        if taker.command.indices.contains(terminator) { taker.command.remove(at: terminator) }
        return taker
    }

    /// The command itself is parsed, not the root: to the parser a tree of all commands is the work of
    /// milliseconds.
    private static func parse<Command: AsyncParsableCommand>(
        _ type: Command.Type,
        _ words: [String],
        _ path: [String]
    ) throws -> Command {
        // Anything else is the parser's own command for `--help`.
        guard let command = try type.parseAsRoot(words) as? Command else {
            throw HelpRequested(words: Array(path.dropFirst()))
        }
        return command
    }

    /// nil: it is for the argument parser to say what the words mean, or what is wrong with them.
    private static func usual(_ type: any AsyncParsableCommand.Type, _ words: [String]) throws -> Work? {
        if type == Run.self {
            return try UsualWords(words, UsualWords.run).flatMap { try RunOrder($0) }.map(Work.run)
        }
        if type == Ps.self {
            return UsualWords.options(words, UsualWords.ps).flatMap { PsOrder($0) }.map(Work.ps)
        }
        guard type == Exec.self else { return nil }
        return UsualWords(words, UsualWords.exec).flatMap { ExecOrder($0) }.map(Work.exec)
    }

    /// 125 is what the Docker command line says about options that it does not understand, 1 about too few or too many
    /// arguments; `rpc`, which it does not have,
    /// tells a call that was not made (2) from one that failed (1).
    private static func failure(_ message: String, _ words: [String], _ path: [String]) throws(Failure)
        -> Failure
    {
        let name = path.dropFirst().joined(separator: " ")
        let code: Int32 = path.dropFirst().first == RPCGroup.name ? 2 : 125
        let help = "See '\(path.joined(separator: " ")) --help'."
        let tree = try CommandTree.root().path(of: words)
        if let command = tree.last {
            let rest = Array(words.dropFirst(tree.count - 1))
            if let problem = FlagCheck.unknown(rest, of: command) {
                if let later = LaterOptions.refusal(of: problem.name, by: Array(path.dropFirst())) {
                    return later
                }
                return Failure(name, problem.why, advice: problem.advice + help, exitCode: code)
            }
            if let refusal = ArgumentCount.refusal(message, tree) {
                let usageCode: Int32 = code == 125 ? 1 : code
                return Failure(name, refusal.why, advice: "\(refusal.usage)\n\(help)", exitCode: usageCode)
            }
        }
        return Failure(name, lowerFirst(message), advice: help, exitCode: code)
    }

    /// Takes `--root` and `--run` that come before the command into the environment, where every command looks: so they
    /// may stand before or after the command's name.
    private static func withoutGlobalOptions(_ words: [String]) throws(Failure) -> [String] {
        var rest = words[...]
        // Most have none; what splits a word costs a start more than this look.
        while let word = rest.first, word.hasPrefix("--r") {
            let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
            let name: String
            switch halves[0] {
            case "--root": name = "PETREL_ROOT"
            case "--run": name = "PETREL_RUN"
            default: return Array(rest)
            }
            rest.removeFirst()
            guard let value = halves.count == 2 ? halves[1] : rest.popFirst(), !value.isEmpty else {
                throw Failure(halves[0], "needs a directory", exitCode: 125)
            }
            SystemEnvironment.set(name, value)
        }
        return Array(rest)
    }

    /// Names that the Docker command line has twice, by their groups.
    private static let aliases = [
        "container": ["ls": "ps", "list": "ps", "remove": "rm"],
        "image": ["ls": "images", "list": "images", "rm": "rmi", "remove": "rmi"],
    ]

    /// `container ls` is `container ps`, and so on.
    private static func withoutAliases(_ words: [String]) -> [String] {
        guard words.count >= 2 else { return words.first == "-v" ? ["--version"] : words }
        // Most are no group's: nothing is looked up for them.
        guard words[0] == "container" || words[0] == "image", let name = aliases[words[0]]?[words[1]] else {
            return words
        }
        return [words[0], name] + words.dropFirst(2)
    }

    /// What the words name, and their names, the program's first.
    ///
    /// For a container's commands nobody asks at run time what they conform to: each such question makes the
    /// runtime go through all of the program's conformances.
    /// - Throws: a `Failure` with what it may have been for a name that is none.
    private static func resolve(_ words: [String]) throws(Failure)
        -> (target: Target, path: [String])
    {
        if let word = words.first, let command = ContainerCommand.named(word) {
            return (.command(command.type), [Petrel.name, word])
        }
        var path = [Petrel.name]
        var type: any ParsableCommand.Type = Petrel.self
        for word in words {
            let candidates = type.configuration.subcommands
            if word.hasPrefix("-") || candidates.isEmpty { break }
            guard let next = candidates.first(where: { $0._commandName == word }) else {
                throw unknown(word, among: candidates, of: path.joined(separator: " "))
            }
            path.append(word)
            type = next
        }
        if let type = type as? any AsyncParsableCommand.Type { return (.command(type), path) }
        precondition(!type.configuration.subcommands.isEmpty, "a command that runs has to be asynchronous")
        return (.group(type), path)
    }

    private static func unknown(
        _ word: String,
        among candidates: [any ParsableCommand.Type],
        of path: String
    ) -> Failure {
        if path == Petrel.name, LaterOptions.programs.contains(word) {
            return Failure(word, "is not supported yet", advice: "See '\(path) --help'.")
        }
        let known = candidates.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
        let others = aliases[String(path.split(separator: " ").last ?? "")].map { Array($0.keys) } ?? []
        let nearest = Suggestion.nearest(to: word, in: known + others.sorted())
        let advice = nearest.map { "Did you mean '\(path) \($0)'? " } ?? ""
        return Failure(
            "",
            "'\(word)' is not a \(path) command",
            advice: advice + "See '\(path) --help'.",
            exitCode: path == "petrel " + RPCGroup.name ? 2 : 1
        )
    }

    private static func lowerFirst(_ text: String) -> String {
        let line = text.split(separator: "\n").joined(separator: " ")
        return line.prefix(1).lowercased() + line.dropFirst()
    }
}

/// A command that ends with a container's program and its arguments.
protocol ProgramTaker: AsyncParsableCommand {
    var command: [String] { get set }
}

/// Somebody wants to read how a command is used.
struct HelpRequested: Error {
    /// The command's name, without the program's.
    let words: [String]

    func lines() throws(Failure) -> [String] {
        HelpPage(try CommandTree.root().path(of: words)).lines
    }
}
