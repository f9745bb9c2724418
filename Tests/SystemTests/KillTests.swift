// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Processes killed with SIGKILL at any instant: nothing is lost, nothing happens twice.
@Suite(.serialized, .needsRoot)
struct KillTests {
    /// The container writes as fast as it can; its keeper is killed ten times.
    @Test func aKeeperKilledAtFullSpeedLosesNoByte() throws {
        try withSuite { suite in
            let script = "seq 0 1500000; exit 5"
            let id = try suite.startShell("fast", "sleep 0.3; " + script)
            for _ in 0..<10 {
                guard let keeper = suite.keeper(of: id) else { break }
                Foundation.kill(keeper, SIGKILL)
                try eventually("the next keeper") { suite.keeper(of: id).map { $0 != keeper } == true }
                pass(seconds: 0.05)
            }
            #expect(try suite.petrel("wait", "fast", within: 60).text == "5")
            let outcome = try suite.petrel("logs", "fast")
            expectCounts(outcome.stdout, atLeast: 1_500_001, of: "fast")
        }
    }

    @Test func bothStreamsSurviveTheKeeper() throws {
        try withSuite { suite in
            let script = """
                (i=0; while [ $i -lt 400 ]; do echo $i; i=$((i+1)); usleep 4000; done) &
                (i=0; while [ $i -lt 400 ]; do echo $i >&2; i=$((i+1)); usleep 4000; done) & wait
                """
            let id = try suite.startShell("two", script)
            for _ in 0..<5 {
                try suite.replaceKeeper(of: id)
                pass(seconds: 0.1)
            }
            #expect(try suite.petrel("wait", "two").text == "0")
            let outcome = try suite.petrel("logs", "two")
            expectCounts(outcome.stdout, atLeast: 400, of: "stdout")
            expectCounts(outcome.stderr, atLeast: 400, of: "stderr")
        }
    }

    /// The copies of run 1 are still held when run 2 has none yet: they are not run 2's.
    @Test func aSecondRunIsNotTakenForTheFirst() throws {
        try withSuite { suite in
            try suite.startShell("twice", "echo run; exit 3")
            try suite.waitUntil("twice", is: "exited")
            try suite.arm("keeper.start.building")
            try suite.succeed("start", "twice")
            try suite.waitUntil("twice", is: "exited")
            #expect(!suite.isArmed("keeper.start.building"))
            #expect(try suite.petrel("logs", "twice").stdout == "run\nrun\n")
        }
    }

    /// A keeper is handed over to another one however many processes it has had.
    @Test func aKeeperWithManyExecsIsReplaced() throws {
        try withSuite { suite in
            let id = try suite.startCounter("c")
            for _ in 0..<80 { try suite.succeed("exec", "c", "true") }
            try suite.replaceKeeper(of: id)
            #expect(try suite.petrel("exec", "c", "echo", "served", within: 20).text == "served")
            try suite.expectCounting("c", atLeast: 10)
        }
    }

    /// A stored copy of the input's writing end must not outlive its use.
    @Test func anInputEndsAfterTheSupervisorWasReplaced() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000")
            let exec = try suite.background(
                ["exec", "-i", "c", "sh", "-c", "echo begun; cat; echo ended"],
                stdin: .pipe
            )
            try eventually("the exec") { exec.output.contains("begun") }
            let old = try suite.kill(.supervisor)
            try suite.waitForSuccessor(of: old, .supervisor)
            exec.closeStdin()
            let outcome = try exec.finish(within: 20)
            #expect(outcome.stdout == "begun\nended\n", "\(outcome)")
        }
    }

    /// Whoever calls a process of his own petrel-keeper is not taken for one.
    @Test func anImpostorIsNotTakenForAKeeper() throws {
        try withSuite { suite in
            let id = try suite.startCounter("c")
            let keeper = try #require(suite.keeper(of: id))
            let script =
                "exec -a petrel-keeper bash -c 'sleep 60; :' --container \(suite.root)/supervisor/containers/\(id)"
            let impostor = try ChildProcess("/bin/bash", ["-c", script])
            defer { impostor.kill() }
            try eventually("the impostor") { HostProcess.all(mentioning: id).count > 1 }
            let old = try suite.kill(.supervisor)
            try suite.waitForSuccessor(of: old, .supervisor)
            #expect(HostProcess.isAlive(keeper) && suite.keeper(of: id) != nil)
            #expect(HostProcess.isAlive(impostor.pid))
            try suite.waitForLines("c", 20)
            try suite.expectCounting("c", atLeast: 10)
        }
    }

    /// A keeper that does not answer is ended; what it kept is removed all the same.
    @Test func aContainerOfAStoppedKeeperIsRemoved() throws {
        try withSuite { suite in
            let id = try suite.startCounter("c")
            let keeper = try #require(suite.keeper(of: id))
            Foundation.kill(keeper, SIGSTOP)
            try suite.succeed("rm", "-f", "c", within: 90)
            suite.expectNoRemains()
        }
    }

    /// The program ends while nobody is its parent's keeper.
    @Test(arguments: [false, true]) func anExitWhileTheKeeperIsDeadIsKnown(_ supervisorToo: Bool) throws {
        try withSuite { suite in
            let id = try suite.startShell(
                "x",
                "echo ready; trap 'exit 33' USR1; while :; do usleep 10000; done"
            )
            try suite.waitForLines("x", 1)
            let pid = try #require(try suite.state("x")["Pid"].int)
            let keeper = try #require(suite.keeper(of: id))
            let supervisor = try suite.pid(of: .supervisor)
            if supervisorToo { Foundation.kill(supervisor, SIGKILL) }
            Foundation.kill(keeper, SIGKILL)
            Foundation.kill(Int32(pid), SIGUSR1)
            if supervisorToo { try suite.waitForSuccessor(of: supervisor, .supervisor) }
            try suite.waitUntil("x", is: "exited")
            #expect(try suite.state("x")["ExitCode"].int == 33)
            #expect(try suite.petrel("wait", "x").text == "33")
        }
    }

    @Test func supervisorAndKeeperKilledTogetherLoseNothing() throws {
        try withSuite { suite in
            let id = try suite.startCounter("both", micros: 1000)
            try suite.waitForLines("both", 10)
            for _ in 0..<5 {
                let supervisor = try suite.pid(of: .supervisor)
                let keeper = try eventually("keeper") { suite.keeper(of: id) }
                Foundation.kill(supervisor, SIGKILL)
                Foundation.kill(keeper, SIGKILL)
                try suite.waitForSuccessor(of: supervisor, .supervisor)
                try eventually("the next keeper") { suite.keeper(of: id).map { $0 != keeper } == true }
            }
            let lines = try suite.petrel("logs", "both").lines.count
            try suite.waitForLines("both", lines + 50)
            try suite.expectCounting("both", atLeast: 100)
            try suite.succeed("stop", "-t", "1", "both")
            #expect(try suite.state("both")["ExitCode"].int == 137)
        }
    }

    @Test func allDaemonsAndInitKilledTogether() throws {
        try withSuite { suite in
            try suite.startCounter("all")
            try suite.waitForLines("all", 10)
            let pid = try suite.state("all")["Pid"].int
            let processes = try Daemon.allCases.map { try suite.pid(of: $0) } + [try #require(suite.initPID)]
            for process in processes.reversed() { Foundation.kill(process, SIGKILL) }
            try eventually("their end") { processes.allSatisfy { !HostProcess.isAlive($0) } }
            try suite.start()
            #expect(try suite.state("all")["Pid"].int == pid)
            try suite.waitForLines("all", 60)
            try suite.expectCounting("all")
        }
    }

    @Test func initKilledAloneIsReplacedAndTheDaemonsGoOn() throws {
        try withSuite { suite in
            let id = try suite.startCounter("t")
            try suite.waitForLines("t", 5)
            let old = try #require(suite.initPID)
            try suite.kill(old)
            // The daemons serve without it.
            #expect(try suite.petrel("ps", "-q", "--no-trunc").text == id)
            try suite.start()
            try suite.expectCounting("t", atLeast: 5)
            // And it restarts daemons again.
            let engine = try suite.kill(.engine)
            try suite.waitForSuccessor(of: engine, .engine)
            let supervisor = try suite.kill(.supervisor)
            try suite.waitForSuccessor(of: supervisor, .supervisor)
            try suite.replaceKeeper(of: id)
            try suite.expectCounting("t")
            #expect(
                HostProcess.all(mentioning: suite.run).filter { $0.arguments[0].hasSuffix("petrel-engine") }
                    .count == 1
            )
        }
    }

    /// Commands given while a daemon is dead wait for the next one instead of failing.
    @Test(arguments: Daemon.allCases) func commandsWaitForADaemonThatComesBack(_ daemon: Daemon) throws {
        try withSuite { suite in
            for _ in 0..<3 {
                let old = try suite.pid(of: daemon)
                Foundation.kill(old, SIGKILL)
                let outcome = try suite.petrel("run", "--rm", "busybox", "echo", "served")
                #expect(outcome.status == 0 && outcome.text == "served", "\(outcome)")
                try suite.waitForSuccessor(of: old, daemon)
            }
            #expect(try suite.containers() == [])
            suite.expectNoRemains()
        }
    }

    @Test func daemonsKilledManyTimesKeepNoDescriptorsOfTheDead() throws {
        try withSuite { suite in
            let id = try suite.startCounter("t")
            for _ in 0..<3 {
                let old = try suite.kill(.supervisor)
                try suite.waitForSuccessor(of: old, .supervisor)
                try suite.replaceKeeper(of: id)
            }
            let initPID = try #require(suite.initPID)
            let before = HostProcess.descriptors(of: initPID).count
            for _ in 0..<8 {
                let old = try suite.kill(.supervisor)
                try suite.waitForSuccessor(of: old, .supervisor)
                try suite.replaceKeeper(of: id)
            }
            try suite.waitUntilHealthy()
            #expect(HostProcess.descriptors(of: initPID).count <= before + 2)
            try suite.succeed("rm", "-f", "t")
            try eventually("the container's descriptors given back") {
                HostProcess.descriptors(of: initPID).count < before
            }
        }
    }
}
