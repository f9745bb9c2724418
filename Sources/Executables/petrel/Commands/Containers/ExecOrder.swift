// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

/// What `exec` is asked to do.
struct ExecOrder: Sendable {
    var detaches = false
    var interactive = false
    var tty = false
    var detachKeys = ""
    var environment: [String] = []
    var environmentFiles: [String] = []
    var user: String?
    var workdir: String?
    var privileged = false
    let container: String
    let command: [String]

    /// - Throws: `Failure`; the program's exit code as an `ExitCode`.
    func carryOut(_ engine: EngineConnection) async throws {
        try Console.check(attachesInput: interactive && !detaches, hasTerminal: tty)
        let start = EngineV1.ExecStart(
            container: container,
            command: command,
            environment: try TextFiles.environment(files: environmentFiles, options: environment),
            workingDirectory: workdir ?? "",
            user: user ?? "",
            privileged: privileged,
            terminal: tty,
            openStdin: interactive && !detaches,
            detached: detaches,
            consoleSize: tty ? Console.size : nil
        )
        let session = try ExecSession(engine: engine, start: start, keys: DetachKeys(detachKeys))
        throw ExitCode(try await session.run())
    }
}

extension ExecOrder {
    /// - Returns: nil where only the argument parser can tell what is wrong.
    init?(_ words: UsualWords) {
        guard !words.program.isEmpty else { return nil }
        self.init(container: words.subject, command: words.program)
        for option in words.options {
            guard take(option) else { return nil }
        }
    }

    /// Takes an option by one of its names.
    private mutating func take(_ option: UsualWords.Option) -> Bool {
        let value = option.value ?? ""
        switch option.name {
        case "detach", "d": detaches = true
        case "interactive", "i": interactive = true
        case "tty", "t": tty = true
        case "privileged": privileged = true
        case "detach-keys": detachKeys = value
        case "env", "e": environment.append(value)
        case "env-file": environmentFiles.append(value)
        case "user", "u": user = value
        case "workdir", "w": workdir = value
        default: return false
        }
        return true
    }
}
