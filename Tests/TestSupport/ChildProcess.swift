// SPDX-License-Identifier: Apache-2.0
import Foundation
import System

/// How a program ended, and what it wrote.
package struct Outcome: Sendable, CustomStringConvertible {
    /// Its exit code; the negative of the signal's number when a signal ended it.
    package let status: Int32
    package let stdoutBytes: [UInt8]
    package let stderrBytes: [UInt8]
    package let command: String

    package var stdout: String { String(decoding: stdoutBytes, as: UTF8.self) }
    package var stderr: String { String(decoding: stderrBytes, as: UTF8.self) }
    /// Its output without white space at either end.
    package var text: String { stdout.trimmingCharacters(in: .whitespacesAndNewlines) }
    package var lines: [String] { stdout.split(separator: "\n").map(String.init) }

    package var description: String {
        "\(command)\n  status \(status)\n  stdout: \(stdout.prefix(2000))\n  stderr: \(stderr.prefix(2000))"
    }
}

/// Thrown by those who expect a program to succeed.
package struct CommandFailed: Error, CustomStringConvertible {
    package let outcome: Outcome
    package var description: String { outcome.description }

    package init(outcome: Outcome) { self.outcome = outcome }
}

/// A program that runs beside the test. Its output goes to files, so nobody has to read along; whoever starts it ends
/// it with `finish` or `kill`.
package final class ChildProcess {
    package enum Stdin {
        case none
        case bytes([UInt8])
        case file(String)
        /// A pipe; its write end is `stdin`.
        case pipe
    }

    package enum Stdout {
        case captured
        /// An existing file or terminal.
        case file(String)
        /// A pipe that nobody reads; its read end is `unreadOutput`.
        case neverRead
    }

    package let pid: Int32
    /// The write end of its stdin, with `.pipe`.
    package private(set) var stdin: Int32 = -1
    package private(set) var unreadOutput: Int32 = -1
    private let command: String
    private let scratch: String
    private var ended: Int32?

    package init(
        _ program: String,
        _ arguments: [String],
        stdin input: Stdin = .none,
        stdout: Stdout = .captured,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        command = ([program] + arguments).joined(separator: " ")
        scratch = TestRoot.path + "/" + TestRoot.newName("p")
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        // Kept open until the child has its copies.
        let input = try Self.open(input, in: scratch, &stdin)
        let output = try Self.open(stdout, in: scratch, &unreadOutput)
        let errors = try Files.open(scratch + "/stderr", [.writeOnly, .create, .truncate])
        let child = try Spawn(
            path: program,
            arguments: arguments,
            environment: environment.map { "\($0.key)=\($0.value)" },
            descriptors: [0: input.raw, 1: output.raw, 2: errors.raw]
        ).start()
        pid = child.pid
    }

    private static func open(_ input: Stdin, in scratch: String, _ other: inout Int32) throws -> Descriptor {
        switch input {
        case .none: return try Files.open("/dev/null", .readOnly)
        case .file(let path): return try Files.open(path, [.readOnly, .noControllingTerminal])
        case .bytes(let bytes):
            try Data(bytes).write(to: URL(fileURLWithPath: scratch + "/stdin"))
            return try Files.open(scratch + "/stdin", .readOnly)
        case .pipe:
            let pipe = try System.Pipe()
            other = try pipe.writeEnd.duplicate().relinquish()
            return try pipe.readEnd.duplicate()
        }
    }

    private static func open(_ output: Stdout, in scratch: String, _ other: inout Int32) throws -> Descriptor
    {
        switch output {
        case .captured: return try Files.open(scratch + "/stdout", [.writeOnly, .create, .truncate])
        case .file(let path): return try Files.open(path, [.writeOnly, .noControllingTerminal])
        case .neverRead:
            let pipe = try System.Pipe()
            other = try pipe.readEnd.duplicate().relinquish()
            return try pipe.writeEnd.duplicate()
        }
    }

    deinit {
        if ended == nil {
            Foundation.kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
        closeStdin()
        if unreadOutput >= 0 { close(unreadOutput) }
        removeTree(scratch)
    }

    /// What it has written to stdout until now.
    package var output: String { text("stdout") }
    package var errorOutput: String { text("stderr") }
    package var outputBytes: [UInt8] { bytes("stdout") }

    /// Whether it still runs.
    package var isRunning: Bool { reap(waiting: false) == nil }

    package func closeStdin() {
        if stdin >= 0 { close(stdin) }
        stdin = -1
    }

    package func kill(_ signal: Int32 = SIGKILL) {
        if isRunning { Foundation.kill(pid, signal) }
    }

    /// Waits for its end, at most `limit` seconds; then it is killed and `DeadlineExceeded` thrown.
    package func finish(within limit: Double = 60) throws -> Outcome {
        do {
            let status = try eventually("end of \(command)", within: limit, every: 0.002) {
                reap(waiting: false)
            }
            return outcome(status)
        } catch {
            Foundation.kill(pid, SIGKILL)
            let late = outcome(reap(waiting: true) ?? -SIGKILL)
            throw DeadlineExceeded(description: "ran longer than \(limit) s: \(late)")
        }
    }

    private func outcome(_ status: Int32) -> Outcome {
        Outcome(status: status, stdoutBytes: bytes("stdout"), stderrBytes: bytes("stderr"), command: command)
    }

    private func text(_ name: String) -> String { String(decoding: bytes(name), as: UTF8.self) }

    private func bytes(_ name: String) -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: scratch + "/" + name) ?? Data())
    }

    private func reap(waiting: Bool) -> Int32? {
        if let ended { return ended }
        var status: Int32 = 0
        guard waitpid(pid, &status, waiting ? 0 : WNOHANG) == pid else { return nil }
        let signal = status & 0x7f
        ended = signal == 0 ? (status >> 8) & 0xff : -signal
        return ended
    }
}

/// Runs a program to its end.
@discardableResult
package func run(
    _ program: String,
    _ arguments: [String] = [],
    stdin: ChildProcess.Stdin = .none,
    within limit: Double = 60,
    environment: [String: String] = ProcessInfo.processInfo.environment
) throws -> Outcome {
    let path = program.contains("/") ? program : programPath(program) ?? program
    return try ChildProcess(path, arguments, stdin: stdin, environment: environment).finish(within: limit)
}

/// Runs a program that must succeed.
@discardableResult
package func succeed(_ program: String, _ arguments: [String] = [], within limit: Double = 60) throws
    -> Outcome
{
    let outcome = try run(program, arguments, within: limit)
    guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
    return outcome
}
