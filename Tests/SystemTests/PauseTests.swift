// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct PauseTests {
    private func lines(_ suite: PetrelSuite, _ name: String) throws -> Int {
        try suite.petrel("logs", name).lines.count
    }

    private func expectStill(_ suite: PetrelSuite, _ name: String) throws {
        pass(seconds: 0.2)
        let count = try lines(suite, name)
        pass(seconds: 0.5)
        #expect(try lines(suite, name) == count)
    }

    @Test func aPausedContainerStandsStillAndGoesOn() throws {
        try withSuite { suite in
            let id = try suite.startCounter("p")
            try suite.waitForLines("p", 5)
            #expect(try suite.succeed("pause", "p") == "p")
            try expectStill(suite, "p")
            #expect(try suite.petrel("ps").stdout.contains("(Paused)"))
            let state = try suite.state("p")
            #expect(state["Status"].string == "paused" && state["Paused"].bool == true)
            #expect(state["Running"].bool == true)
            #expect(try suite.succeed("ps", "-q", "--no-trunc", "--filter", "status=paused") == id)
            let again = try suite.petrel("pause", "p")
            #expect(again.status == 1 && again.stderr.contains("already paused"), "\(again)")
            let exec = try suite.petrel("exec", "p", "true")
            #expect(exec.status == 1 && exec.stderr.contains("paused"), "\(exec)")
            // It stays so over the deaths of everybody.
            for daemon in Daemon.allCases {
                let old = try suite.kill(daemon)
                try suite.waitForSuccessor(of: old, daemon)
            }
            try suite.replaceKeeper(of: id)
            try expectStill(suite, "p")
            #expect(try suite.status(of: "p") == "paused")
            #expect(try suite.succeed("unpause", "p") == "p")
            let count = try lines(suite, "p")
            try suite.waitForLines("p", count + 5)
            try suite.expectCounting("p")
            let running = try suite.petrel("unpause", "p")
            #expect(running.status == 1 && running.stderr.contains("not paused"), "\(running)")
            #expect(try suite.petrel("pause", "nobody").status == 1)
            try suite.succeed("stop", "-t", "0", "p")
            let stopped = try suite.petrel("pause", "p")
            #expect(stopped.status == 1 && stopped.stderr.contains("not running"), "\(stopped)")
            let until = String(format: "%.3f", Date().timeIntervalSince1970)
            let told = try suite.petrel("events", "--since", "1", "--until", until, "--format", "{{.Action}}")
            #expect(told.lines.filter { $0.hasSuffix("pause") } == ["pause", "unpause"], "\(told)")
        }
    }

    /// As Docker: what ends a container reaches a paused one too; other signals wait.
    @Test func pausedContainersCanBeEnded() throws {
        try withSuite { suite in
            let polite = "trap 'exit 5' TERM; trap 'echo usr' USR1; echo up; while :; do usleep 10000; done"
            for name in ["killed", "stopped", "removed", "signalled"] {
                try suite.startShell(name, polite)
                try suite.waitForLines(name, 1)
                try suite.succeed("pause", name)
            }
            try suite.succeed("kill", "killed")
            try suite.waitUntil("killed", is: "exited")
            #expect(try suite.state("killed")["ExitCode"].int == 137)
            try suite.succeed("stop", "stopped")
            #expect(try suite.state("stopped")["ExitCode"].int == 5)
            try suite.succeed("rm", "-f", "removed")
            try suite.succeed("kill", "-s", "USR1", "signalled")
            pass(seconds: 0.3)
            #expect(try suite.status(of: "signalled") == "paused")
            #expect(try lines(suite, "signalled") == 1)
            try suite.succeed("unpause", "signalled")
            try suite.waitForLines("signalled", 2)
        }
    }

    @Test(arguments: FaultPointNames.of("pause", "unpause")) func aDeathThereLeavesItPausedOrNot(
        _ point: String
    ) throws {
        try withSuite { suite in
            let id = try suite.startCounter("p")
            try suite.waitForLines("p", 3)
            try suite.arm(point)
            try suite.petrel("pause", "p")
            try suite.waitUntilHealthy()
            if try suite.status(of: "p") != "paused" { try suite.succeed("pause", "p") }
            try expectStill(suite, "p")
            try suite.petrel("unpause", "p")
            try suite.waitUntilHealthy()
            if try suite.status(of: "p") == "paused" { try suite.succeed("unpause", "p") }
            #expect(!suite.isArmed(point))
            let count = try lines(suite, "p")
            try suite.waitForLines("p", count + 5)
            try suite.expectCounting("p")
            let until = String(format: "%.3f", Date().timeIntervalSince1970)
            let told = try suite.petrel("events", "--since", "1", "--until", until, "--format", "{{.Action}}")
            #expect(told.lines.filter { $0.hasSuffix("pause") } == ["pause", "unpause"], "\(told)")
            try suite.succeed("rm", "-f", id)
            suite.expectNoRemains(point)
        }
    }
}
