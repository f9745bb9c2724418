// SPDX-License-Identifier: Apache-2.0
import Suite
import System
import TestSupport
import Testing

struct SuiteLocationTests {
    @Test func aRootOfItsOwnHasItsOwnRun() throws {
        let location = try SuiteLocation(root: "/srv//a/./b/../petrel/")
        #expect(location.root == "/srv/a/petrel")
        #expect(location.run == "/srv/a/petrel/run")
        #expect(!location.isDefault)
        #expect(location.socket(of: "engine") == "/srv/a/petrel/run/engine.sock")
        #expect(location.runDirectory(ofContainer: "x") == "/srv/a/petrel/run/containers/x")
    }

    @Test func theDefaultRootHasTheDefaultRun() throws {
        let location = try SuiteLocation(root: SuiteLocation.defaultRoot)
        #expect(location.isDefault)
        #expect(location.run == SuiteLocation.defaultRun)
    }

    @Test func preparingTwiceKeepsTheSuiteID() throws {
        try withTemporaryDirectory { path in
            let location = try SuiteLocation(root: path + "/root", run: path + "/run")
            #expect(try !location.prepare())
            let id = try location.suiteID()
            #expect(id.utf8.count == 8)
            #expect(try location.suiteName() == "petrel-" + id)
            #expect(try !location.prepare())
            #expect(try location.suiteID() == id)
            #expect(Files.exists(location.root + "/reserve"))
        }
    }

    @Test func aDamagedSuiteIDIsReported() throws {
        try withTemporaryDirectory { path in
            let location = try SuiteLocation(root: path + "/root", run: path + "/run")
            try location.prepare()
            try Files.replace(location.suiteIDFile, with: Array("XYZ".utf8))
            #expect(throws: SuiteError.damagedSuiteID(path: location.suiteIDFile)) { try location.suiteID() }
        }
    }

    @Test func aRunOfAnEarlierBootIsEmptied() throws {
        try withTemporaryDirectory { path in
            let location = try SuiteLocation(root: path + "/root", run: path + "/run")
            try location.prepare()
            try Files.makeDirectories(location.runDirectory(ofContainer: "old"))
            try Files.replace(location.socket(of: "engine"), with: [])
            #expect(try !location.prepare())
            #expect(Files.exists(location.socket(of: "engine")))

            try Files.replace(location.run + "/boot-id", with: Array("another boot".utf8))
            #expect(try location.prepare())
            #expect(try Files.names(in: location.run) == ["boot-id"])
            #expect(try Files.text(of: location.run + "/boot-id") == Boot.id())
        }
    }

    @Test func aDaemonRunsOnceForEachRoot() throws {
        try withTemporaryDirectory { path in
            let location = try SuiteLocation(root: path + "/root", run: path + "/run")
            try location.prepare()
            do {
                let first = try DaemonLock(daemon: "engine", at: location)
                let pid = SystemEnvironment.processID
                #expect(throws: SuiteError.alreadyRunning(daemon: "engine", root: location.root, pid: pid)) {
                    _ = try DaemonLock(daemon: "engine", at: location, patienceMilliseconds: 20)
                }
                _ = try DaemonLock(daemon: "supervisor", at: location)
                _ = first
            }
            _ = try DaemonLock(daemon: "engine", at: location)
        }
    }
}
