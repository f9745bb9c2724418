// SPDX-License-Identifier: Apache-2.0
import Messages
import Rendering
import Synchronization
import System

/// The user's terminal. In raw mode every key goes to the container; whatever way this process ends, the terminal is as it
/// was before.
enum Console {
    private static let saved = Mutex<TerminalMode?>(nil)

    /// Whether our standard input is a terminal.
    static var isTerminal: Bool { CurrentProcess.isTerminal(0) }

    static func enterRaw() throws(SystemError) {
        guard isTerminal else { return }
        let mode = try TerminalMode(of: 0)
        saved.withLock { $0 = $0 ?? mode }
        try mode.raw.apply(to: 0)
    }

    static func restore() {
        let mode = saved.withLock { saved in
            defer { saved = nil }
            return saved
        }
        // A terminal that is gone needs no restoring.
        try? mode?.apply(to: 0)
    }

    static var size: EngineV1.ConsoleSize? {
        guard let size = Terminal.size(of: 1) ?? Terminal.size(of: 0) else { return nil }
        return EngineV1.ConsoleSize(columns: UInt32(size.columns), rows: UInt32(size.rows))
    }

    /// A program that reads from a terminal of its own is not to be given a file or a pipe.
    static func check(attachesInput: Bool, hasTerminal: Bool) throws(Failure) {
        guard attachesInput, hasTerminal, !isTerminal else { return }
        throw Failure(
            "",
            "the input device is not a TTY",
            advice: "Leave out --tty (-t), or run it in a terminal."
        )
    }
}

/// The one way out of this process.
enum Ending {
    static func exit(_ code: Int32) -> Never {
        Console.restore()
        CurrentProcess.exit(code)
    }
}
