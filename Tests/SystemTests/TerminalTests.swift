// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// `run -it`, `attach`, `start -ai` and `exec -it`, at a terminal.
@Suite(.serialized, .needsRoot)
struct TerminalTests {
    @Test func aShellHasATerminalOfItsOwn() throws {
        try withSuite { suite in
            let shell = try suite.inTerminal(
                "run",
                "-it",
                "--name",
                "s",
                "busybox",
                "sh",
                columns: 101,
                rows: 33
            )
            try shell.expect("/ # ")
            #expect(!shell.isCooked)
            // The size was there before the program.
            try shell.type("stty size\n")
            try shell.expect("33 101")
            try shell.resize(columns: 77, rows: 20)
            try eventually("the new size") {
                try shell.type("stty size\n")
                try shell.expect("/ # ")
                return shell.screen.contains("20 77")
            }
            // Ctrl-C is for the program in the foreground, and for nobody else.
            try shell.type("sleep 100\n")
            try shell.expect("sleep 100\r\n")
            pass(seconds: 0.3)
            try shell.type("\u{3}")
            try shell.expect("/ # ")
            try shell.type("echo code $?\n")
            try shell.expect("code 130")
            // Job control.
            try shell.type("sleep 200\n")
            pass(seconds: 0.3)
            try shell.type("\u{1a}")
            try shell.expect("Stopped")
            try shell.type("bg\n")
            try shell.expect("sleep 200")
            try shell.type("jobs\n")
            try shell.expect("Running")
            try shell.type("fg\n")
            pass(seconds: 0.3)
            try shell.type("\u{3}")
            try shell.expect("/ # ")
            try shell.type("exit 7\n")
            #expect(try shell.finish() == 7)
            #expect(shell.isCooked)
        }
    }

    /// A line that the terminal breaks would be two when the next round is drawn over it.
    @Test(arguments: [UInt16(50), 80])
    func statsFitTheTerminal(_ columns: UInt16) throws {
        try withSuite { suite in
            try suite.startShell("a-name-that-is-long-enough-to-be-cut", "sleep 1000")
            let stats = try suite.inTerminal("stats", columns: columns)
            try stats.expect("CONT")
            // The second round is drawn over the first.
            try stats.expect("\u{1b}[J\u{1b}[HCONT")
            try stats.expect("\u{1b}[J")
            stats.kill(SIGINT)
            #expect(try stats.finish() == 130)
            let lines = stats.screen.components(separatedBy: "\u{1b}[K\r\n").dropLast()
                .map { $0.components(separatedBy: "\u{1b}[H").last ?? "" }
            #expect(lines.count >= 4)
            #expect(lines.allSatisfy { $0.count <= Int(columns) }, "\(lines)")
            // What is for programs is never cut.
            let json = try suite.inTerminal("stats", "--no-stream", "--format", "json", columns: columns)
            #expect(try json.finish() == 0)
            #expect(json.screen.hasSuffix("}\r\n"), "\(json.screen)")
        }
    }

    @Test func keysDetachAndAttachComesBack() throws {
        try withSuite { suite in
            let first = try suite.inTerminal("run", "-it", "--name", "s", "busybox", "sh")
            try first.expect("/ # ")
            try first.type("old=1; echo old line\n")
            try first.expect("old line\r\n")
            try first.expect("/ # ")
            try first.type("\u{10}\u{11}")
            #expect(try first.finish() == 0)
            #expect(first.isCooked)
            #expect(try suite.status(of: "s") == "running")

            let second = try suite.inTerminal("attach", "--detach-keys", "ctrl-a,b", "s")
            // The prompt is drawn again; nothing old is.
            try second.expect("/ # ")
            try second.type("echo $((old + 41))\n")
            try second.expect("42")
            #expect(!second.screen.contains("old line"))
            // The usual keys are keys like others now.
            try second.type("\u{1}b")
            #expect(try second.finish() == 0)

            // A client that is killed leaves the container alone.
            let third = try suite.inTerminal("attach", "s")
            try third.expect("/ # ")
            third.kill()
            _ = try third.finish()
            #expect(try suite.status(of: "s") == "running")
            let fourth = try suite.inTerminal("attach", "s")
            try fourth.expect("/ # ")
            try fourth.type("exit 3\n")
            #expect(try fourth.finish() == 3)
            // Started again, attached from the start.
            let again = try suite.inTerminal("start", "-ai", "s")
            try again.expect("/ # ")
            try again.type("exit 4\n")
            #expect(try again.finish() == 4)
            #expect(!again.screen.contains("old line"))
        }
    }

    /// What is typed while the engine is away is there when it is back.
    @Test func typingGoesOnThroughTheDeathOfDaemons() throws {
        try withSuite { suite in
            let shell = try suite.inTerminal("run", "-it", "--name", "s", "busybox", "sh")
            try shell.expect("/ # ")
            let id = try suite.id(of: "s")
            for round in 0..<4 {
                if round == 3 {
                    try suite.replaceKeeper(of: id)
                    try shell.type("echo a$((\(round) + 100))b\n")
                } else {
                    let daemon = Daemon.allCases[round]
                    let old = try suite.kill(daemon)
                    try shell.type("echo a$((\(round) + 100))b\n")
                    try suite.waitForSuccessor(of: old, daemon)
                }
                try shell.expect("a\(round + 100)b")
            }
            for round in 0..<4 {
                let parts = shell.screen.components(separatedBy: "a\(round + 100)b")
                #expect(parts.count == 2, "\(shell.screen)")
            }
            try shell.type("exit 5\n")
            #expect(try shell.finish() == 5)
            #expect(shell.isCooked)
        }
    }

    @Test func execHasATerminalToo() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000")
            let shell = try suite.inTerminal("exec", "-it", "c", "sh", columns: 99, rows: 31)
            try shell.expect("/ # ")
            try shell.type("stty size; tty\n")
            try shell.expect("31 99")
            try shell.expect("/dev/pts/")
            try shell.resize(columns: 50, rows: 11)
            try eventually("the new size") {
                try shell.type("stty size\n")
                try shell.expect("/ # ")
                return shell.screen.contains("11 50")
            }
            let old = try suite.kill(.engine)
            try shell.type("echo x$((6 * 7))x\n")
            try suite.waitForSuccessor(of: old, .engine)
            try shell.expect("x42x")
            try shell.type("exit 9\n")
            #expect(try shell.finish() == 9)
            #expect(shell.isCooked)
            let second = try suite.inTerminal("exec", "-it", "c", "sh")
            try second.expect("/ # ")
            try second.type("\u{10}\u{11}")
            #expect(try second.finish() == 0)
            #expect(second.isCooked)
            let ended = try suite.inTerminal("exec", "-it", "c", "sh")
            try ended.expect("/ # ")
            ended.kill(SIGTERM)
            #expect(try ended.finish() == 143)
            #expect(ended.isCooked)
        }
    }

    @Test func aTerminalIsAskedFor() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000")
            for command in [["run", "--rm", "-it", "busybox", "true"], ["exec", "-it", "c", "true"]] {
                let outcome = try suite.petrel(command, stdin: .bytes([]))
                #expect(outcome.status == 1, "\(outcome)")
                #expect(outcome.stderr.contains("the input device is not a TTY"), "\(outcome)")
            }
            let stopped = try suite.petrel("attach", "nobody")
            #expect(stopped.status == 1 && stopped.stderr.contains("nobody"), "\(stopped)")
            let keys = try suite.petrel("run", "--detach-keys", "ctrl-1", "busybox", "true")
            #expect(keys.status != 0 && keys.stderr.contains("ctrl-1"), "\(keys)")
            // Without -i nobody types, so a terminal for the output is all there is.
            #expect(try suite.petrel("run", "--rm", "-t", "busybox", "echo", "hi").stdout == "hi\r\n")
            #expect(
                try suite.petrel("exec", "-t", "c", "sh", "-c", "echo a; echo b >&2").stdout == "a\r\nb\r\n"
            )
        }
    }
}
