// SPDX-License-Identifier: Apache-2.0
import Foundation
import System

/// A program in a terminal of its own: what a user at a keyboard does and sees.
package final class TerminalProcess {
    private let master: SharedDescriptor
    /// Kept open, so that settings and output outlive the program.
    private let slave: Descriptor
    private let child: ChildProcess
    private var seen: [UInt8] = []

    package init(
        _ program: String,
        _ arguments: [String],
        columns: UInt16 = 80,
        rows: UInt16 = 24,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        let path: String
        (master, path) = try Terminal.open()
        slave = try Files.open(path, [.readWrite, .noControllingTerminal])
        try Files.setNonBlocking(master.raw)
        try Terminal.resize(master.raw, columns: columns, rows: rows)
        child = try ChildProcess(
            program,
            arguments,
            stdin: .file(path),
            stdout: .file(path),
            environment: environment
        )
    }

    package var pid: Int32 { child.pid }
    package var isRunning: Bool { child.isRunning }
    package var errors: String { child.errorOutput }

    /// Whether the terminal echoes and edits lines, as a shell's user expects it.
    package var isCooked: Bool {
        var settings = termios()
        guard tcgetattr(slave.raw, &settings) == 0 else { return false }
        let flags = tcflag_t(ECHO | ICANON | ISIG)
        return settings.c_lflag & flags == flags
    }

    package func type(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard write(master.raw, bytes, bytes.count) == bytes.count else {
            throw SystemError("write", path: "terminal", code: errno)
        }
    }

    /// Changes the size as a window manager does: the program gets SIGWINCH (it has no session of its own here).
    package func resize(columns: UInt16, rows: UInt16) throws {
        try Terminal.resize(master.raw, columns: columns, rows: rows)
        Foundation.kill(child.pid, SIGWINCH)
    }

    /// All that was shown.
    package var screen: String {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Foundation.read(master.raw, &buffer, buffer.count)
            if count <= 0 { break }
            seen += buffer[..<count]
        }
        return String(decoding: seen, as: UTF8.self)
    }

    /// Waits until the text was shown after what had been shown at the last call.
    package func expect(_ text: String, within limit: Double = 20) throws {
        do {
            try eventually("\(text) on the screen", within: limit) {
                guard let place = screen.dropFirst(read).range(of: text) else { return false }
                read = screen.distance(from: screen.startIndex, to: place.upperBound)
                return true
            }
        } catch {
            throw DeadlineExceeded(description: "no \(text) in \(screen.debugDescription); \(errors)")
        }
    }

    private var read = 0

    package func kill(_ signal: Int32 = SIGKILL) { child.kill(signal) }

    package func finish(within limit: Double = 30) throws -> Int32 { try child.finish(within: limit).status }
}

extension PetrelSuite {
    /// Runs the command line in a terminal.
    package func inTerminal(_ arguments: String..., columns: UInt16 = 80, rows: UInt16 = 24) throws
        -> TerminalProcess
    {
        try TerminalProcess(
            binaries + "/petrel",
            ["--root", root, "--run", run] + arguments,
            columns: columns,
            rows: rows,
            environment: environment
        )
    }
}
