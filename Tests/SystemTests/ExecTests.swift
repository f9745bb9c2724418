// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct ExecTests {
    @Test func exitCodesOutputAndOptions() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000", options: ["-e", "FROM=container", "-w", "/tmp"])
            // Whoever runs the tests is root.
            let all = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                .split(separator: "\n").first { $0.hasPrefix("CapEff:") }?.split(separator: "\t").last.map(
                    String.init
                )
            let cases: [(options: [String], command: [String], status: Int32, output: String)] = [
                ([], ["true"], 0, ""),
                ([], ["sh", "-c", "exit 7"], 7, ""),
                ([], ["sh", "-c", "kill -9 $$"], 137, ""),
                ([], ["no-such-program"], 127, ""),
                ([], ["/etc/passwd"], 126, ""),
                ([], ["sh", "-c", "echo $FROM; pwd"], 0, "container\n/tmp"),
                (["-e", "FROM=exec"], ["sh", "-c", "echo $FROM"], 0, "exec"),
                (["-w", "/var"], ["pwd"], 0, "/var"),
                (["-u", "daemon"], ["id", "-u"], 0, "1"),
                ([], ["sh", "-c", "awk '/^CapEff/ {print $2}' /proc/self/status"], 0, "00000000a80425fb"),
                (
                    ["--privileged"], ["sh", "-c", "awk '/^CapEff/ {print $2}' /proc/self/status"], 0,
                    try #require(all)
                ),
                ([], ["sh", "-c", "awk '/^Seccomp:/ {print $2}' /proc/self/status"], 0, "2"),
                ([], ["seq", "1", "30000"], 0, (1...30000).map(String.init).joined(separator: "\n")),
            ]
            for (options, command, status, output) in cases {
                let outcome = try suite.petrel(["exec"] + options + ["c"] + command)
                #expect(outcome.status == status && (status > 125 || outcome.text == output), "\(outcome)")
            }
            let both = try suite.petrel("exec", "c", "sh", "-c", "echo out; echo err >&2")
            #expect(both.stdout == "out\n" && both.stderr == "err\n")
        }
    }

    /// The command line does not wait to hear that the engine has heard that it has everything; still nothing stays.
    @Test func theKeeperLetsGoOfOutputAtOnce() throws {
        try withSuite { suite in
            let id = try suite.startShell("c", "sleep 1000")
            let keeper = try #require(suite.keeper(of: id))
            func descriptors() -> Int { HostProcess.descriptors(of: keeper).count }
            let before = descriptors()
            for _ in 0..<20 {
                #expect(try suite.petrel("exec", "c", "seq", "1", "20000").status == 0)
            }
            try eventually("the keeper's descriptors", within: 10) { descriptors() <= before }
        }
    }

    @Test func stdinReachesTheProgramAndItsEndToo() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000")
            let bytes = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            let outcome = try suite.petrel("exec", "-i", "c", "sha256sum", stdin: .bytes(bytes))
            #expect(outcome.status == 0)
            #expect(try TestImage.sha256(bytes) == outcome.text.prefix(64))
            // Without -i the program has an empty stdin.
            #expect(try suite.petrel("exec", "c", "wc", "-c", stdin: .bytes([1, 2, 3])).text == "0")
        }
    }

    @Test func refusalsSayWhy() throws {
        try withSuite { suite in
            let absent = try suite.petrel("exec", "nobody", "true")
            #expect(absent.status == 1 || absent.status == 125, "\(absent)")
            #expect(absent.stderr.contains("nobody"))
            try suite.succeed("run", "--name", "done", "busybox", "true")
            let stopped = try suite.petrel("exec", "done", "true")
            #expect(stopped.status != 0 && stopped.stderr.contains("not running"), "\(stopped)")
        }
    }

    /// Only a container's first process has its working directory made.
    @Test func anExecThatCannotBeSetUpSaysWhyAndChangesNothing() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000", options: ["-w", "/made/for/it"])
            let before = try suite.succeed("diff", "c")
            #expect(before == "A /made\nA /made/for\nA /made/for/it")
            let cases: [(options: [String], reason: String)] = [
                (["-w", "/nonexistent"], "cwd /nonexistent: ENOENT"),
                (["-w", "/made/not/for/it"], "cwd /made/not/for/it: ENOENT"),
                (["-w", "/bin/sh"], "cwd /bin/sh: ENOTDIR"),
                (["-u", "nouser"], "user nouser: ENOENT"),
            ]
            for (options, reason) in cases {
                let outcome = try suite.petrel(["exec"] + options + ["c", "pwd"])
                #expect(outcome.status == 126 && outcome.stdout.isEmpty, "\(outcome)")
                #expect(outcome.stderr.contains(reason), "\(outcome)")
            }
            #expect(try suite.succeed("diff", "c") == before)
            #expect(try suite.succeed("exec", "c", "pwd") == "/made/for/it")
        }
    }

    @Test func detachedExecsRunOn() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000")
            #expect(try suite.petrel("exec", "-d", "c", "sh", "-c", "sleep 0.5; touch /tmp/done").status == 0)
            try eventually("the detached command") {
                try suite.petrel("exec", "c", "test", "-e", "/tmp/done").status == 0
            }
        }
    }

    /// Nobody hears of keepers that die, one after another, before they come to open the gate; the program runs once.
    @Test func anExecOutlivesKeepersThatDieBeforeItsProgramRuns() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000")
            let point = "keeper.exec.custody"
            try suite.arm(point)
            let exec = try suite.background(["exec", "c", "sh", "-c", "echo ran | tee -a /ran; exit 5"])
            for _ in 1...3 {
                try eventually("a keeper's death") { !suite.isArmed(point) || !exec.isRunning }
                try suite.arm(point)
            }
            suite.disarmAll()
            let outcome = try exec.finish(within: 30)
            #expect(outcome.status == 5 && outcome.stdout == "ran\n", "\(outcome)")
            #expect(try suite.succeed("exec", "c", "cat", "/ran") == "ran")
        }
    }

    /// The command line asks again, and the program runs once.
    @Test(arguments: [
        "engine.exec.row-written", "engine.exec.started", "supervisor.exec.asked", "supervisor.exec.answered",
    ])
    func anExecOutlivesADaemonThatDiesBeforeItSaidThatItRuns(_ point: String) throws {
        try withSuite { suite in
            try suite.startShell("c", "mkfifo /go; read x </go; exit 3")
            try eventually("the pipe") { try suite.petrel("exec", "c", "test", "-p", "/go").status == 0 }
            try suite.arm(point)
            let outcome = try suite.petrel("exec", "c", "sh", "-c", "echo ran | tee -a /ran; exit 5")
            #expect(outcome.status == 5 && outcome.stdout == "ran\n", "\(outcome)")
            #expect(!suite.isArmed(point))
            #expect(try suite.succeed("exec", "c", "cat", "/ran") == "ran")
            // Also one that ends its container, which then is no longer there to be asked anew.
            try suite.arm(point)
            let end = try suite.petrel("exec", "c", "sh", "-c", "echo >/go; exit 0")
            #expect([0, 137].contains(end.status), "\(end)")
            #expect(try suite.succeed("wait", "c") == "3")
        }
    }

    /// The connection is made again by the command line and the program goes on: nothing of its output is lost, and
    /// nothing comes twice.
    @Test(arguments: Daemon.allCases) func anExecOutlivesADaemon(_ daemon: Daemon) throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000")
            let script = "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); usleep 10000; done; exit 9"
            let exec = try suite.background(["exec", "c", "sh", "-c", script])
            try eventually("output") { exec.output.split(separator: "\n").count > 20 }
            let old = try suite.kill(daemon)
            try suite.waitForSuccessor(of: old, daemon)
            let outcome = try exec.finish(within: 30)
            #expect(outcome.status == 9, "\(outcome.stderr)")
            expectCounts(outcome.stdout, atLeast: 300, of: "exec")
        }
    }

    /// The program waits, as with a pipe; nobody keeps what is not read.
    @Test func aClientThatStopsReadingStopsOnlyItsProgram() throws {
        try withSuite { suite in
            let id = try suite.startCounter("c")
            let processes = try [
                suite.pid(of: .engine), suite.pid(of: .supervisor), #require(suite.keeper(of: id)),
            ]
            let before = processes.map(HostProcess.memory)
            let stuck = try suite.background(["exec", "c", "yes"], stdout: .neverRead)
            defer { stuck.kill() }
            pass(seconds: 3)
            for (process, memory) in zip(processes, before) {
                let growth = HostProcess.memory(of: process) - memory
                #expect(growth < 40 << 20, "\(HostProcess.arguments(of: process)) grew by \(growth >> 20) MB")
            }
            #expect(try suite.petrel("exec", "c", "echo", "served").text == "served")
            try suite.expectCounting("c", atLeast: 100)
        }
    }

    @Test func manyExecsLeaveNothingBehind() throws {
        try withSuite { suite in
            let id = try suite.startShell("c", "sleep 1000")
            for _ in 0..<10 { try suite.succeed("exec", "c", "true") }
            let keeper = try #require(suite.keeper(of: id))
            let processes = try Daemon.allCases.map { try suite.pid(of: $0) } + [keeper]
            let before = processes.map { HostProcess.descriptors(of: $0).count }
            for _ in 0..<40 { try suite.succeed("exec", "c", "true") }
            try eventually("as many descriptors as before") {
                zip(processes, before).allSatisfy { HostProcess.descriptors(of: $0).count <= $1 + 3 }
            }
        }
    }
}
