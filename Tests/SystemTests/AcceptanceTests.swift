// SPDX-License-Identifier: Apache-2.0
import Testing
import TestSupport

/// What Petrel promises first: containers outlive every daemon.
@Suite(.serialized, .needsRoot)
struct AcceptanceTests {
    @Test func aContainerCountsOnWhileEveryDaemonAndItsKeeperAreKilled() throws {
        try withSuite { suite in
            let id = try suite.startCounter("t", options: ["--restart=always"])
            try suite.waitForLines("t", 10)
            let before = try suite.state("t")
            for daemon in Daemon.allCases {
                let old = try suite.kill(daemon)
                try suite.waitForSuccessor(of: old, daemon)
                try suite.expectCounting("t")
            }
            try suite.replaceKeeper(of: id)
            let lines = try suite.petrel("logs", "t").lines.count
            try suite.waitForLines("t", lines + 20)
            try suite.expectCounting("t", atLeast: 30)
            let after = try suite.state("t")
            #expect(after["StartedAt"].string == before["StartedAt"].string)
            #expect(after["Pid"].int == before["Pid"].int)
            #expect(try suite.inspect("t")["RestartCount"].int == 0)
        }
    }

    @Test func exitCodesPassThrough() throws {
        try withSuite { suite in
            let seven = try suite.petrel("run", "--rm", "busybox", "sh", "-c", "exit 7")
            #expect(seven.status == 7, "\(seven)")
            let none = try suite.petrel("run", "--rm", "busybox", "true")
            #expect(none.status == 0, "\(none)")
            #expect(try suite.containers() == [])
            suite.expectNoRemains()
        }
    }

    @Test func stoppingTheDaemonsLeavesContainersRunning() throws {
        try withSuite { suite in
            let id = try suite.startCounter("t")
            try suite.waitForLines("t", 5)
            let pid = try #require(try suite.state("t")["Pid"].int)
            try suite.succeed("system", "stop")
            #expect(HostProcess.isAlive(Int32(pid)))
            #expect(suite.keeper(of: id) != nil)
            pass(seconds: 0.3)
            try suite.start()
            try suite.waitForLines("t", 30)
            try suite.expectCounting("t")
            #expect(try suite.state("t")["Pid"].int == pid)
        }
    }

    @Test func theCommandLineStartsTheSuite() throws {
        try withSuite(image: false) { suite in
            try suite.succeed("system", "stop", "--containers")
            try eventually("no daemon") { HostProcess.all(mentioning: suite.root).isEmpty }
            try suite.succeed("system", "start")
            // Healthy when the command returns, not some time later.
            #expect(try suite.status().array?.allSatisfy { $0["health"].string == "healthy" } == true)
            #expect(try suite.petrel("ps").status == 0)
        }
    }
}
