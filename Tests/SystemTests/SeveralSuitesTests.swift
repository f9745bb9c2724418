// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct SeveralSuitesTests {
    @Test func twoSuitesDoNotSeeEachOther() throws {
        try withSuite { first in
            try withSuite { second in
                let one = try first.startCounter("same", options: ["--restart=always"])
                let two = try second.startCounter("same", options: ["--restart=always"])
                #expect(try first.containers() == [one])
                #expect(try second.containers() == [two])
                #expect(try !first.exists(container: two))
                #expect(first.cgroupName != second.cgroupName)
                for daemon in Daemon.allCases {
                    let undisturbed = try second.pid(of: daemon)
                    let old = try first.kill(daemon)
                    try first.waitForSuccessor(of: old, daemon)
                    #expect(try second.pid(of: daemon) == undisturbed)
                }
                try first.succeed("rm", "-f", "same")
                try first.succeed("system", "stop", "--containers")
                let lines = try second.petrel("logs", "same").lines.count
                try second.waitForLines("same", lines + 20)
                try second.expectCounting("same")
                try first.start()
            }
        }
    }

    /// A second set of daemons on the same root would destroy what the first does.
    @Test func aSecondSuiteOnTheSameRootIsRefused() throws {
        try withSuite { suite in
            try suite.startCounter("t")
            let before = try suite.pid(of: .engine)
            let second = try suite.petrel("system", "start")
            #expect(second.status == 0, "starting what runs is harmless: \(second)")
            #expect(try suite.pid(of: .engine) == before)
            let direct = try run(
                binaries + "/petrel-engine",
                ["--root", suite.root, "--run", suite.run],
                within: 20
            )
            #expect(direct.status != 0 && !direct.stderr.isEmpty, "\(direct)")
            #expect(try suite.pid(of: .engine) == before)
            try suite.expectCounting("t")
        }
    }

    /// After a reboot nothing that RUN says is true, though the files may still be there.
    @Test func aRunDirectoryOfAnotherBootIsHistory() throws {
        try withSuite { suite in
            let id = try suite.startShell("t", "echo run; sleep 1000", options: ["--restart=always"])
            try suite.startShell("once", "sleep 1000")
            try suite.waitForLines("t", 1)
            try suite.succeed("stop", "once")
            // As a machine that loses its power: everything dies, and the files stay.
            let processes = HostProcess.all(mentioning: suite.directory).map(\.pid)
            let inits = try ["t"].compactMap { try suite.state($0)["Pid"].int.map(Int32.init) }
            if let first = suite.initPID { Foundation.kill(first, SIGKILL) }
            for process in processes + inits { Foundation.kill(process, SIGKILL) }
            try eventually("the end of all") { (processes + inits).allSatisfy { !HostProcess.isAlive($0) } }
            let path = suite.run + "/boot-id"
            #expect(FileManager.default.fileExists(atPath: path))
            try Data("00000000-0000-0000-0000-000000000000\n".utf8).write(to: URL(fileURLWithPath: path))
            try suite.start()
            try suite.waitUntil("t", is: "running")
            #expect(try suite.id(of: "t") == id)
            try suite.waitForLines("t", 2)
            #expect(try suite.status(of: "once") == "exited")
            #expect(try suite.succeed("run", "--rm", "busybox", "echo", "fine") == "fine")
        }
    }

    @Test func longPathsWork() throws {
        try withTemporaryDirectory { directory in
            let deep =
                directory + "/"
                + Array(repeating: String(repeating: "d", count: 40), count: 3).joined(separator: "/")
            let suite = try PetrelSuite(directory: deep)
            defer { suite.destroy() }
            try suite.start()
            try suite.succeed("load", "-i", busyboxArchive.get())
            try suite.startCounter("t")
            try suite.waitForLines("t", 5)
            try suite.expectCounting("t")
            try suite.succeed("rm", "-f", "t")
            try suite.succeed("system", "stop", "--containers")
        }
    }
}
