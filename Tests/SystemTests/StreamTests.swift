// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Standard input and output without a terminal, through the death of whoever carries them.
@Suite(.serialized, .needsRoot)
struct StreamTests {
    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 88_172_645_463_325_252
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
    }

    @Test func bytesComeBackExactlyThroughTheDeathOfEverybody() throws {
        try withSuite { suite in
            let id = try suite.startShell("c", "sleep 1000")
            let bytes = Self.noise(24 << 20)
            let cat = try suite.background(["exec", "-i", "c", "cat"], stdin: .bytes(bytes))
            try eventually("some output") { cat.outputBytes.count > 1 << 20 }
            for daemon in [Daemon.engine, .supervisor] {
                let old = try suite.kill(daemon)
                try suite.waitForSuccessor(of: old, daemon)
                try suite.replaceKeeper(of: id)
            }
            let outcome = try cat.finish(within: 60)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            let isSame = outcome.stdoutBytes == bytes
            #expect(isSame, "\(outcome.stdoutBytes.count) bytes")
        }
    }

    /// What is written waits for its reader; what the user wants meanwhile does not.
    @Test func signalsGoThroughWhileNobodyReads() throws {
        try withSuite { suite in
            let script = "trap 'exit 7' TERM; head -c 4000000 /dev/zero; while :; do sleep 0.1; done"
            let run = try suite.background(
                ["run", "--name", "c", "busybox", "sh", "-c", script],
                stdout: .neverRead
            )
            try eventually("a full pipe") { Self.unreadCount(run.unreadOutput) >= 64 << 10 }
            run.kill(SIGTERM)
            #expect(try suite.succeed("wait", "c") == "7")
            run.kill(SIGKILL)
            _ = try? run.finish(within: 10)
        }
    }

    private static func unreadCount(_ pipe: Int32) -> Int {
        var count: Int32 = 0
        return ioctl(pipe, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    @Test func aPipeIsRunsInput() throws {
        try withSuite { suite in
            let echo = try suite.petrel(
                "run",
                "-i",
                "--rm",
                "busybox",
                "cat",
                stdin: .bytes(Array("hi\n".utf8))
            )
            #expect(echo.status == 0 && echo.stdout == "hi\n", "\(echo)")
            let bytes = Self.noise(2 << 20)
            let sum = try suite.petrel("run", "-i", "--rm", "busybox", "sha256sum", stdin: .bytes(bytes))
            #expect(try TestImage.sha256(bytes) == sum.text.prefix(64), "\(sum)")
            // Without -i there is none.
            #expect(try suite.petrel("run", "--rm", "busybox", "wc", "-c", stdin: .bytes([1])).text == "0")
            // Only what was attached to.
            let script = "echo out; echo err >&2"
            let out = try suite.petrel("run", "--rm", "-a", "stdout", "busybox", "sh", "-c", script)
            #expect(out.stdout == "out\n" && out.stderr == "", "\(out)")
            let both = try suite.petrel(
                "run",
                "--rm",
                "-a",
                "stdout",
                "-a",
                "STDERR",
                "busybox",
                "sh",
                "-c",
                script
            )
            #expect(both.stdout == "out\n" && both.stderr == "err\n", "\(both)")
            let wrong = try suite.petrel("run", "--rm", "-a", "stdlog", "busybox", "true")
            #expect(wrong.status == 125 && wrong.stderr.contains("stdlog"), "\(wrong)")
        }
    }

    @Test func aRunsInputOutlivesDaemonsAndEndsWithItsClient() throws {
        try withSuite { suite in
            let run = try suite.background(
                ["run", "-i", "--name", "c", "busybox", "cat"],
                stdin: .pipe
            )
            func say(_ text: String) {
                let bytes = Array(text.utf8)
                _ = write(run.stdin, bytes, bytes.count)
            }
            say("one\n")
            try eventually("one") { run.output == "one\n" }
            let id = try suite.id(of: "c")
            let old = try suite.kill(.engine)
            say("two\n")
            try suite.waitForSuccessor(of: old, .engine)
            try eventually("two") { run.output == "one\ntwo\n" }
            try suite.replaceKeeper(of: id)
            say("three\n")
            try eventually("three") { run.output == "one\ntwo\nthree\n" }
            run.closeStdin()
            #expect(try run.finish().status == 0)

            let second = try suite.background(["start", "-ai", "c"], stdin: .pipe)
            try suite.waitUntil("c", is: "running")
            _ = write(second.stdin, Array("four\n".utf8), 5)
            try eventually("four") { second.output == "four\n" }
            // Made with -i: its input is its client's, and ends with it.
            second.kill()
            try suite.waitUntil("c", is: "exited")
        }
    }

    @Test func attachShowsWhatIsNewAndPassesSignalsOn() throws {
        try withSuite { suite in
            let script =
                "trap 'echo caught; exit 21' TERM; echo early; while :; do echo tick; usleep 50000; done"
            try suite.startShell("c", script)
            try suite.waitForLines("c", 3)
            let attached = try suite.background(["attach", "c"])
            try eventually("ticks") { attached.output.contains("tick") }
            let old = try suite.kill(.engine)
            try suite.waitForSuccessor(of: old, .engine)
            let without = try suite.background(["attach", "--sig-proxy=false", "--no-stdin", "c"])
            try eventually("ticks") { without.output.contains("tick") }
            without.kill(SIGTERM)
            #expect(try without.finish().status == 143)
            #expect(try suite.status(of: "c") == "running")
            attached.kill(SIGTERM)
            let outcome = try attached.finish()
            #expect(outcome.status == 21 && outcome.stdout.hasSuffix("caught\n"), "\(outcome)")
            #expect(!outcome.stdout.contains("early"))
            let late = try suite.petrel("attach", "c")
            #expect(late.status == 1 && late.stderr.contains("stopped"), "\(late)")
        }
    }

    /// An engine that does not answer keeps nobody: neither who waits for a start, nor who looks on.
    @Test func aHangingEngineCanBeLeft() throws {
        try withSuite { suite in
            try suite.startShell("c", "trap : INT; while :; do usleep 50000; done")
            let attached = try suite.background(["attach", "--no-stdin", "c"])
            try suite.startShell("d", "echo here; sleep 1000")
            let waiting = try suite.background(["attach", "--no-stdin", "d"])
            // Both have gone by: signals are taken.
            pass(seconds: 0.5)
            let engine = try suite.pid(of: .engine)
            Foundation.kill(engine, SIGSTOP)
            defer { Foundation.kill(engine, SIGCONT) }
            let starting = try suite.background(["start", "-a", "c"])
            let running = try suite.background(["run", "busybox", "true"])
            let exec = try suite.inTerminal("exec", "-it", "c", "sh")
            pass(seconds: 0.5)
            for client in [starting, running] {
                client.kill(SIGINT)
                #expect(try client.finish(within: 20).status == 130)
            }
            // Ctrl-C is a signal still.
            #expect(exec.isCooked)
            exec.kill(SIGINT)
            #expect(try exec.finish(within: 20) == 130)
            for _ in 0..<3 {
                attached.kill(SIGINT)
                waiting.kill(SIGINT)
                pass(seconds: 0.6)
            }
            for client in [attached, waiting] {
                let outcome = try client.finish(within: 20)
                #expect(outcome.status == 130 && outcome.stderr.contains("does not answer"), "\(outcome)")
            }
        }
    }

    /// A program that is the first of its namespace and has no handler hears neither SIGINT nor SIGTERM.
    @Test func whoInsistsOnAnEndHasIt() throws {
        try withSuite { suite in
            let client = try suite.background(["run", "--name", "deaf", "busybox", "sleep", "1000"])
            try suite.waitUntil("deaf", is: "running")
            for _ in 1...3 {
                client.kill(SIGINT)
                pass(seconds: 0.3)
            }
            #expect(client.isRunning)
            client.kill(SIGINT)
            let outcome = try client.finish(within: 10)
            #expect(outcome.status == 130 && outcome.stderr.contains("deaf goes on"), "\(outcome)")
            #expect(try suite.status(of: "deaf") == "running")
        }
    }
}
