// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct RestartPolicyTests {
    @Test func alwaysRestartsWhileTheEngineIsDead() throws {
        try withSuite { suite in
            try suite.startShell("a", "echo run; sleep 0.3", options: ["--restart=always"])
            try suite.succeed("system", "stop", "engine")
            pass(seconds: 3)
            try suite.succeed("system", "start", "engine")
            try suite.waitUntilHealthy()
            let count = try suite.inspect("a")["RestartCount"].int ?? 0
            #expect(count >= 2, "restarted only \(count) times")
            #expect(try suite.petrel("logs", "a").lines.count >= 3)
        }
    }

    @Test func onFailureStopsAtItsLimitAndNotForSuccess() throws {
        try withSuite { suite in
            try suite.startShell("bad", "echo run; exit 3", options: ["--restart=on-failure:2"])
            try suite.startShell("good", "echo run; exit 0", options: ["--restart=on-failure:2"])
            try eventually("the end of bad") { try suite.petrel("logs", "bad").lines.count == 3 }
            try suite.waitUntil("bad", is: "exited")
            pass(seconds: 1)
            #expect(try suite.petrel("logs", "bad").lines.count == 3)
            #expect(try suite.inspect("bad")["RestartCount"].int == 2)
            #expect(try suite.petrel("logs", "good").lines.count == 1)
            #expect(try suite.state("bad")["ExitCode"].int == 3)
        }
    }

    /// `stop` wins, whatever dies at the same time, and whichever came first.
    @Test(arguments: ["nobody", "engine", "supervisor", "keeper"]) func stopWinsOverRestart(_ victim: String)
        throws
    {
        try withSuite { suite in
            let id = try suite.startShell(
                "s",
                "echo run; trap 'exit 0' TERM; while :; do usleep 10000; done",
                options: ["--restart=always"]
            )
            try suite.waitForLines("s", 1)
            let stopping = try suite.background(["stop", "s"])
            switch victim {
            case "engine": Foundation.kill(try suite.pid(of: .engine), SIGKILL)
            case "supervisor": Foundation.kill(try suite.pid(of: .supervisor), SIGKILL)
            case "keeper": if let keeper = suite.keeper(of: id) { Foundation.kill(keeper, SIGKILL) }
            default: break
            }
            let outcome = try stopping.finish(within: 40)
            try suite.waitUntilHealthy()
            if outcome.status != 0 { try suite.succeed("stop", "s") }
            try suite.waitUntil("s", is: "exited")
            pass(seconds: 1.5)
            #expect(try suite.status(of: "s") == "exited")
            #expect(try suite.petrel("logs", "s").lines.count == 1)
            // And it stays so for the next supervisor and engine.
            for daemon in [Daemon.supervisor, .engine] {
                let old = try suite.kill(daemon)
                try suite.waitForSuccessor(of: old, daemon)
            }
            pass(seconds: 0.5)
            #expect(try suite.status(of: "s") == "exited")
        }
    }

    @Test func stopDuringTheBackOffEndsIt() throws {
        try withSuite { suite in
            try suite.startShell("b", "exit 1", options: ["--restart=always"])
            try eventually("some restarts") { (try suite.inspect("b")["RestartCount"].int ?? 0) >= 2 }
            try suite.succeed("stop", "b")
            let count = try suite.inspect("b")["RestartCount"].int
            pass(seconds: 2)
            #expect(try suite.inspect("b")["RestartCount"].int == count)
            #expect(try suite.status(of: "b") == "exited")
        }
    }

    @Test func autoRemovedContainersAreGoneAfterTheEngineIsBack() throws {
        try withSuite { suite in
            let id = try suite.startShell("r", "sleep 1", options: ["--rm"])
            try suite.succeed("system", "stop", "engine")
            pass(seconds: 2)
            try suite.succeed("system", "start", "engine")
            try suite.waitUntilHealthy()
            try eventually("removal") { try !suite.exists(container: id) }
            suite.expectNoRemains()
        }
    }

    @Test func aPolicyContainerRestartsAfterItsKeeperAndItselfDied() throws {
        try withSuite { suite in
            let id = try suite.startShell(
                "p",
                "echo run; while :; do usleep 10000; done",
                options: ["--restart=always"]
            )
            try suite.waitForLines("p", 1)
            let pid = try #require(try suite.state("p")["Pid"].int)
            let keeper = try #require(suite.keeper(of: id))
            Foundation.kill(keeper, SIGKILL)
            Foundation.kill(Int32(pid), SIGKILL)
            try suite.waitForLines("p", 2)
            #expect(try suite.inspect("p")["RestartCount"].int == 1)
            #expect(try suite.state("p")["Pid"].int != pid)
        }
    }

    /// As Docker: 100 ms, and twice as long each time.
    @Test func theBackOffGrowsAndIsShown() throws {
        try withSuite { suite in
            try suite.startShell("b", "exit 3", options: ["--restart=always"])
            pass(seconds: 2.5)
            let count = try suite.inspect("b")["RestartCount"].int ?? 0
            #expect(3...5 ~= count, "\(count) restarts in 2.5 seconds")
            try suite.waitUntil("b", is: "restarting")
            let state = try suite.state("b")
            #expect(state["Restarting"].bool == true && state["Running"].bool == true, "\(state)")
            #expect(state["ExitCode"].int == 3 && state["Pid"].int == 0, "\(state)")
            #expect(try suite.petrel("ps").stdout.contains("Restarting (3) "))
            // The policy is changed while it waits: then it stays as it is.
            try suite.succeed("stop", "b")
            #expect(try suite.status(of: "b") == "exited")
        }
    }

    @Test func anEndForWantOfMemoryIsTold() throws {
        try withSuite { suite in
            let script = "if test -e /ran; then sleep 1000; fi; touch /ran; exec tail /dev/zero"
            try suite.startShell("o", script, options: ["-m", "16m"])
            try suite.waitUntil("o", is: "exited")
            let state = try suite.state("o")
            #expect(state["OOMKilled"].bool == true && state["ExitCode"].int == 137, "\(state)")
            #expect(try suite.petrel("ps", "-a").stdout.contains("Exited (137)"))
            let until = String(format: "%.3f", Date().timeIntervalSince1970)
            let told = try suite.petrel("events", "--since", "1", "--until", until, "--format", "{{.Action}}")
            #expect(told.lines.suffix(2) == ["oom", "die"], "\(told)")
            // Of the run that goes on nothing such is said.
            try suite.succeed("start", "o")
            #expect(try suite.state("o")["OOMKilled"].bool == false)
            #expect(try suite.state("o")["ExitCode"].int == 0)
        }
    }

    @Test func whyAProgramWasNotExecutedIsTold() throws {
        try withSuite { suite in
            try suite.succeed("create", "--name", "n", "busybox", "/no/such/program")
            #expect(try suite.petrel("start", "n").status == 1)
            let state = try suite.state("n")
            #expect(state["Status"].string == "created" && state["ExitCode"].int == 127, "\(state)")
            #expect(state["Error"].string?.contains("/no/such/program") == true, "\(state)")
            #expect(try suite.petrel("ps", "-a").stdout.contains("Created"))
        }
    }

    /// The policy's restarts are an end and a start; the user's restart is told as such.
    @Test func restartsAreToldAsDockerDoes() throws {
        try withSuite { suite in
            try suite.startShell(
                "e",
                "if test -e /ran; then sleep 1000; fi; touch /ran",
                options: ["--restart=always"]
            )
            try eventually("the policy's restart") { try suite.inspect("e")["RestartCount"].int == 1 }
            try suite.waitUntil("e", is: "running")
            try suite.succeed("restart", "-t", "0", "e")
            let until = String(format: "%.3f", Date().timeIntervalSince1970)
            let arguments = ["events", "--since", "1", "--until", until, "--filter", "container=e"]
            let told = try suite.petrel(arguments + ["--format", "{{.Action}}"]).lines.filter { $0 != "kill" }
            #expect(
                told == ["create", "start", "die", "start", "die", "stop", "start", "restart"],
                "\(told)"
            )
        }
    }
}
