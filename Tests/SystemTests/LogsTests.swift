// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct LogsTests {
    @Test func tailSinceAndTimestamps() throws {
        try withSuite { suite in
            let script = "for i in 1 2 3 4 5; do echo line $i; done; sleep 2; echo late; echo wrong >&2"
            try suite.succeed("run", "--name", "l", "busybox", "sh", "-c", script)
            #expect(try suite.petrel("logs", "l").stdout == "line 1\nline 2\nline 3\nline 4\nline 5\nlate\n")
            #expect(try suite.petrel("logs", "l").stderr == "wrong\n")
            #expect(try suite.petrel("logs", "--tail", "2", "l").stdout == "late\n")
            #expect(try suite.petrel("logs", "--tail", "3", "l").stdout == "line 5\nlate\n")
            #expect(try suite.petrel("logs", "--tail", "0", "l").stdout == "")
            #expect(try suite.petrel("logs", "--tail", "all", "l").lines.count == 6)

            let stamped = try suite.petrel("logs", "-t", "l").lines
            let times = stamped.map { $0.split(separator: " ", maxSplits: 1) }
            #expect(
                times.allSatisfy { $0.count == 2 && $0[0].contains("T") && $0[0].hasSuffix("Z") },
                "\(stamped)"
            )
            #expect(times.map { String($0[1]) }.first == "line 1")
            let last = try #require(times.last).first.map(String.init) ?? ""
            let since = try suite.petrel("logs", "--since", last, "l")
            #expect(since.stdout == "late\n", "since \(last): \(since)")
            #expect(try suite.petrel("logs", "--since", "1h", "l").lines.count == 6)
        }
    }

    @Test func detailsAreWhatTheLogOptionsName() throws {
        try withSuite { suite in
            let script = "echo one; echo two >&2"
            let options = ["--log-opt", "labels=team,absent", "--log-opt", "env=ZONE"]
            let about = ["--label", "team=blue sky", "--label", "other=x", "-e", "ZONE=eu"]
            try suite.petrel(["run", "--name", "c"] + options + about + ["busybox", "sh", "-c", script])
            let logs = try suite.petrel("logs", "--details", "c")
            #expect(logs.stdout == "ZONE=eu,team=blue+sky one\n", "\(logs)")
            #expect(logs.stderr == "ZONE=eu,team=blue+sky two\n", "\(logs)")
            #expect(try suite.petrel("logs", "c").stdout == "one\n")
            let timed = try suite.petrel("logs", "--details", "-t", "-n", "1", "c")
            #expect(timed.stderr.contains("Z ZONE=eu,team=blue+sky two"), "\(timed)")
            let long = String(repeating: "x", count: 20_000)
            let label = ["--label", "long=\(long)", "--log-opt", "labels=long"]
            try suite.petrel(["run", "--name", "l"] + label + ["busybox", "echo", "kept"])
            let refused = try suite.petrel("logs", "--details", "l")
            #expect(refused.status == 1 && refused.stderr.contains("20005 bytes"), "\(refused)")
            #expect(try suite.succeed("logs", "l") == "kept")
        }
    }

    @Test func followEndsWithTheContainerAndHasAll() throws {
        try withSuite { suite in
            try suite.startShell("f", "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); usleep 10000; done")
            let follower = try suite.background(["logs", "-f", "f"])
            let outcome = try follower.finish(within: 30)
            #expect(outcome.status == 0, "\(outcome)")
            expectCounts(outcome.stdout, atLeast: 200, of: "the follower")
            #expect(outcome.lines.count == 200)
        }
    }

    @Test func aFollowerOutlivesTheEngine() throws {
        try withSuite { suite in
            try suite.startCounter("f")
            let follower = try suite.background(["logs", "-f", "f"])
            try eventually("first lines") { follower.output.count > 20 }
            let old = try suite.kill(.engine)
            try suite.waitForSuccessor(of: old, .engine)
            try eventually("lines after the engine's death") {
                follower.output.split(separator: "\n").count > 150 || !follower.isRunning
            }
            #expect(follower.isRunning, "the follower ended: \(follower.errorOutput)")
            follower.kill(SIGINT)
            expectCounts(try follower.finish().stdout, atLeast: 150, of: "the follower")
        }
    }

    /// 2 MB, of which 20 kB are kept, while the engine cannot read.
    @Test func aFollowerIsToldHowMuchItMissed() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                let script = """
                    echo begin; while ! test -e /shared/go; do usleep 10000; done
                    yes 0123456789 | head -c 2000000; touch /shared/done; sleep 1000
                    """
                let limits = ["--log-opt", "max-size=10k", "--log-opt", "max-file=2"]
                try suite.startShell("f", script, options: limits + ["-v", "\(directory):/shared"])
                let follower = try suite.background(["logs", "-f", "f"])
                try eventually("the first line") { follower.output == "begin\n" }
                let engine = try suite.kill(.engine, signal: SIGSTOP)
                defer { Foundation.kill(engine, SIGCONT) }
                try Data().write(to: URL(fileURLWithPath: directory + "/go"))
                try eventually("all output") {
                    FileManager.default.fileExists(atPath: directory + "/done")
                }
                Foundation.kill(engine, SIGCONT)
                try eventually("the message") { follower.errorOutput.contains("rotated away unread") }
                let told = follower.errorOutput.firstMatch(of: /about ([0-9.]+)([kM]?B) of output/)
                let (_, number, unit) = try #require(told, "\(follower.errorOutput)").output
                #expect(unit != "MB" || (Double(number) ?? .infinity) < 10, "\(follower.errorOutput)")
                follower.kill()
            }
        }
    }

    /// Of a line whose beginning was rotated away nothing is shown.
    @Test func logsBeginWithAWholeLineAfterARotation() throws {
        try withSuite { suite in
            let limits = ["--log-opt", "max-size=10k", "--log-opt", "max-file=2"]
            let script = "i=10000; while [ $i -lt 19999 ]; do echo line $i is here; i=$((i+1)); done"
            try suite.startShell("r", script, options: limits)
            try suite.waitUntil("r", is: "exited")
            for options in [[], ["--tail", "5000"], ["-t"], ["-f"]] {
                let lines = try suite.petrel(["logs"] + options + ["r"]).lines
                let first = try #require(lines.first)
                #expect(lines.count > 400 && lines.last?.hasSuffix("line 19998 is here") == true)
                #expect(try first.wholeMatch(of: Regex("(.*Z )?line 1[0-9]{4} is here")) != nil, "\(first)")
            }
        }
    }

    @Test func partialLinesAndBinaryOutputAreKeptByteForByte() throws {
        try withSuite { suite in
            let plain = try suite.petrel("run", "--name", "p", "busybox", "printf", "no newline at the end")
            #expect(plain.stdout == "no newline at the end")
            #expect(try suite.petrel("logs", "p").stdout == "no newline at the end")
            let script =
                "dd if=/dev/urandom of=/tmp/r bs=1000 count=700 2>/dev/null; sha256sum /tmp/r >&2; cat /tmp/r"
            let attached = try suite.petrel("run", "--name", "b", "busybox", "sh", "-c", script)
            #expect(attached.stdoutBytes.count == 700_000)
            #expect(try TestImage.sha256(attached.stdoutBytes) == attached.stderr.prefix(64))
            let logged = try suite.petrel("logs", "b")
            #expect(logged.stdoutBytes == attached.stdoutBytes)
            #expect(logged.stderr == attached.stderr)
        }
    }

    /// 300 MB in lines: several segments of the spool. No daemon's memory grows with them, and the newest lines are there.
    @Test func aFloodIsSpooledNotKept() throws {
        try withSuite { suite in
            let script =
                "yes 0123456789012345678901234567890123456789 | head -c 300000000; echo; echo the end"
            try suite.succeed("run", "-d", "--name", "flood", "busybox", "sh", "-c", script)
            try suite.waitUntil("flood", is: "exited", within: 120)
            let last = try suite.petrel("logs", "--tail", "1", "flood")
            #expect(last.stdout == "the end\n", "\(last)")
            for daemon in Daemon.allCases {
                let memory = HostProcess.memory(of: try suite.pid(of: daemon)) >> 20
                #expect(memory < 150, "\(daemon) has \(memory) MB")
            }
        }
    }

    @Test func aClientThatStopsReadingHoldsUpNobody() throws {
        try withSuite { suite in
            let id = try suite.startShell("s", "i=0; while :; do echo $i; i=$((i+1)); done")
            let stuck = try suite.background(["logs", "-f", "s"], stdout: .neverRead)
            defer { stuck.kill() }
            pass(seconds: 3)
            #expect(stuck.isRunning)
            let engine = try suite.pid(of: .engine)
            let before = HostProcess.memory(of: engine)
            let output = try suite.petrel("logs", "--tail", "1", "s").text
            pass(seconds: 2)
            let after = try suite.petrel("logs", "--tail", "1", "s").text
            #expect((Int(after) ?? 0) > (Int(output) ?? 0), "the container waits for a client")
            #expect(HostProcess.memory(of: engine) - before < 40 << 20, "the engine keeps what nobody reads")
            if let keeper = suite.keeper(of: id) { #expect(HostProcess.memory(of: keeper) < 20 << 20) }
        }
    }
}
