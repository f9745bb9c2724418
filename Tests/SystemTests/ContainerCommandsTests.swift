// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// ps, inspect, stop, start, kill, wait, rm.
@Suite(.serialized, .needsRoot)
struct ContainerCommandsTests {
    @Test func psHasDockersColumns() throws {
        try withSuite { suite in
            let id = try suite.startShell("web", "sleep 1000")
            try suite.petrel("run", "--name", "gone", "busybox", "sh", "-c", "exit 3")
            let table = try suite.petrel("ps").lines
            #expect(table.count == 2)
            let head = try #require(table.first)
            #expect(
                head.split(separator: " ").joined(separator: " ")
                    == "CONTAINER ID IMAGE COMMAND CREATED STATUS PORTS NAMES"
            )
            let row = try #require(table.last)
            #expect(row.hasPrefix(id.prefix(12)) && row.hasSuffix("web") && row.contains("busybox"), "\(row)")
            #expect(row.contains("Up "), "\(row)")
            let all = try suite.petrel("ps", "-a").lines
            #expect(all.count == 3 && all.contains { $0.contains("Exited (3)") }, "\(all)")
            #expect(try suite.succeed("ps", "-q") == id.prefix(12))
            #expect(try suite.succeed("ps", "-q", "--no-trunc") == id)
            let filtered = try suite.petrel("ps", "-a", "-q", "--filter", "name=gone")
            #expect(filtered.lines.count == 1, "\(filtered)")
        }
    }

    @Test func inspectHasDockersFields() throws {
        try withSuite { suite in
            let options = [
                "-e", "A=b", "--restart", "on-failure:3", "--memory", "32m", "--hostname", "h", "-w", "/tmp",
            ]
            let id = try suite.startShell("i", "sleep 1000", options: options)
            let document = try suite.inspect("i")
            #expect(document["Id"].string == id)
            #expect(document["Name"].string == "/i")
            #expect(document["Path"].string == "sh")
            #expect(document["Args"].array?.compactMap(\.string) == ["-c", "sleep 1000"])
            #expect(document["Created"].string?.hasSuffix("Z") == true)
            #expect(document["Image"].string?.hasPrefix("sha256:") == true)
            #expect(document["RestartCount"].int == 0)
            let state = document["State"]
            #expect(state["Status"].string == "running" && state["Running"].bool == true)
            #expect(state["ExitCode"].int == 0 && state["OOMKilled"].bool == false)
            let pid = try #require(state["Pid"].int)
            #expect(HostProcess.arguments(of: Int32(pid)) == ["sleep", "1000"])
            let config = document["Config"]
            #expect(config["Image"].string == "busybox" && config["Hostname"].string == "h")
            #expect(config["WorkingDir"].string == "/tmp")
            #expect(config["Env"].array?.compactMap(\.string).contains("A=b") == true)
            let host = document["HostConfig"]
            #expect(host["Memory"].int == 33_554_432)
            #expect(host["RestartPolicy"]["Name"].string == "on-failure")
            #expect(host["RestartPolicy"]["MaximumRetryCount"].int == 3)
            // By a prefix of the id too; an image has fields of its own.
            #expect(try suite.inspect(String(id.prefix(6)))["Id"].string == id)
            let image = try suite.inspect("busybox:latest")
            #expect(image["RepoTags"].array?.compactMap(\.string) == ["busybox:latest"])
            #expect(image["Config"]["Cmd"].array?.compactMap(\.string) == ["sh"])
            #expect(image["RootFS"]["Layers"].array?.count == 1)
            let absent = try suite.petrel("inspect", "nothing-of-this-name")
            #expect(absent.status == 1 && absent.stderr.contains("nothing-of-this-name"), "\(absent)")
        }
    }

    @Test func inspectTellsSizesWhenAsked() throws {
        try withSuite { suite in
            try suite.succeed(
                "run",
                "--name",
                "c",
                "busybox",
                "dd",
                "if=/dev/zero",
                "of=/f",
                "bs=1k",
                "count=64"
            )
            let plain = try suite.inspect("c")
            #expect(plain["SizeRw"].int == nil && plain["SizeRootFs"].int == nil)
            for command in [["inspect", "-s"], ["container", "inspect", "--size"]] {
                let sized = try Document(suite.petrel(command + ["c"]).stdout)[0]
                let written = try #require(sized["SizeRw"].int)
                #expect(written >= 64 << 10 && written < 128 << 10, "\(written)")
                #expect(try #require(sized["SizeRootFs"].int) > written + (500 << 10))
            }
        }
    }

    @Test func stopAsksThenForces() throws {
        try withSuite { suite in
            let polite = "trap 'echo bye; exit 5' TERM; echo ready; while :; do usleep 20000; done"
            try suite.startShell("polite", polite)
            try suite.waitForLines("polite", 1)
            #expect(try suite.succeed("stop", "polite") == "polite")
            #expect(try suite.state("polite")["ExitCode"].int == 5)
            #expect(try suite.petrel("logs", "polite").stdout == "ready\nbye\n")

            try suite.startShell("deaf", "trap '' TERM; echo ready; while :; do usleep 20000; done")
            try suite.waitForLines("deaf", 1)
            let started = Date()
            try suite.succeed("stop", "-t", "1", "deaf")
            #expect(Date().timeIntervalSince(started) > 0.9 && Date().timeIntervalSince(started) < 8)
            #expect(try suite.state("deaf")["ExitCode"].int == 137)
            // Stopping twice is harmless.
            #expect(try suite.petrel("stop", "deaf").status == 0)
            let absent = try suite.petrel("stop", "nobody")
            #expect(absent.status == 1 && absent.stderr.contains("nobody"))
        }
    }

    @Test func startRunsItAgainOnTheSameFiles() throws {
        try withSuite { suite in
            let script = "echo x >> /count; wc -l < /count"
            try suite.succeed("run", "--name", "again", "busybox", "sh", "-c", script)
            for _ in 0..<2 {
                #expect(try suite.succeed("start", "again") == "again")
                try suite.waitUntil("again", is: "exited")
            }
            #expect(try suite.succeed("logs", "again") == "1\n2\n3")
            let absent = try suite.petrel("start", "nobody")
            #expect(absent.status == 1, "\(absent)")
        }
    }

    @Test func killSendsTheSignal() throws {
        try withSuite { suite in
            try suite.startShell("k", "trap 'echo hup' HUP; echo ready; while :; do usleep 20000; done")
            try suite.waitForLines("k", 1)
            try suite.succeed("kill", "-s", "HUP", "k")
            try suite.waitForLines("k", 2)
            #expect(try suite.petrel("logs", "k").lines == ["ready", "hup"])
            try suite.succeed("kill", "k")
            try suite.waitUntil("k", is: "exited")
            #expect(try suite.state("k")["ExitCode"].int == 137)
            #expect(try suite.petrel("kill", "k").status == 1)
            #expect(try suite.petrel("kill", "-s", "NOSUCH", "k").status != 0)
        }
    }

    /// A command that only asks leaves its signals to the kernel; what it asked about goes on.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func aSignalEndsACommandThatOnlyAsks(_ signal: Int32) throws {
        try withSuite { suite in
            try suite.succeed("run", "-d", "--name", "w", "busybox", "sleep", "1000")
            let waiting = try suite.background(["wait", "w"])
            // Its question has arrived: it would be answered.
            pass(seconds: 0.5)
            waiting.kill(signal)
            #expect(try waiting.finish(within: 20).status == -signal)
            #expect(try suite.succeed("inspect", "--format", "{{.State.Status}}", "w") == "running")
        }
    }

    @Test func waitAnswersTheExitCode() throws {
        try withSuite { suite in
            try suite.startShell("w", "sleep 1; exit 42")
            let waiting = try suite.background(["wait", "w"])
            #expect(try waiting.finish(within: 20).text == "42")
            #expect(try suite.succeed("wait", "w") == "42")
            // One whose engine is killed meanwhile goes on waiting.
            try suite.startShell("v", "sleep 3; exit 43")
            let patient = try suite.background(["wait", "v"])
            pass(seconds: 0.3)
            let old = try suite.kill(.engine)
            try suite.waitForSuccessor(of: old, .engine)
            let outcome = try patient.finish(within: 20)
            #expect(outcome.text == "43", "\(outcome)")
        }
    }

    @Test func rmRefusesARunningOneUnlessForced() throws {
        try withSuite { suite in
            let id = try suite.startShell("r", "sleep 1000")
            let refused = try suite.petrel("rm", "r")
            #expect(refused.status == 1 && refused.stderr.contains("running"), "\(refused)")
            #expect(try suite.status(of: "r") == "running")
            #expect(try suite.succeed("rm", "-f", "r") == "r")
            #expect(try !suite.exists(container: id))
            suite.expectNoRemains()
            #expect(try suite.petrel("rm", "r").status == 1)
        }
    }

    @Test func manyAreStoppedAtOnceAndReportedInOrder() throws {
        try withSuite { suite in
            let names = (0..<8).map { "deaf\($0)" }
            for name in names { try suite.startShell(name, "trap : TERM; while :; do sleep 0.1; done") }
            let begin = ContinuousClock.now
            let stopped = try suite.petrel(
                ["stop", "-t", "5"] + names.prefix(5) + ["nobody"] + names.suffix(3)
            )
            // One after the other would be 40 seconds.
            #expect(ContinuousClock.now - begin < .seconds(30))
            #expect(stopped.lines == names && stopped.status == 1, "\(stopped)")
            #expect(stopped.stderr.contains("nobody"), "\(stopped)")
            #expect(try suite.petrel(["rm"] + names).lines == names)
        }
    }

    @Test func aNameIsTakenOnce() throws {
        try withSuite { suite in
            let id = try suite.startShell("same", "sleep 1000")
            let refused = try suite.petrel("run", "-d", "--name", "same", "busybox", "true")
            #expect(refused.status == 125 && refused.stderr.contains("same"), "\(refused)")
            #expect(refused.stderr.contains("in use"), "\(refused)")
            #expect(try suite.containers() == [id])
            let invalid = try suite.petrel("run", "--name", "not/allowed", "busybox", "true")
            #expect(invalid.status == 125, "\(invalid)")
        }
    }

    @Test func rmOptionRemovesAfterTheEnd() throws {
        try withSuite { suite in
            let id = try suite.startShell("auto", "sleep 0.5", options: ["--rm"])
            #expect(try suite.exists(container: id))
            try eventually("removal") { try !suite.exists(container: id) }
            suite.expectNoRemains()
        }
    }
}
