// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Options that share namespaces: with the host, and with other containers, over restarts and deaths.
@Suite(.serialized, .needsRoot)
struct NamespaceOptionTests {
    private func namespace(_ kind: String, of pid: Int) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(kind)")
    }

    private func pid(_ suite: PetrelSuite, _ name: String) throws -> Int {
        try #require(try suite.state(name)["Pid"].int)
    }

    @Test func namespacesOfTheHost() throws {
        try withSuite { suite in
            let own = Int(getpid())
            let cases: [(options: [String], kind: String, isShared: Bool)] = [
                (["--pid", "host"], "pid", true), (["--ipc", "host"], "ipc", true),
                (["--uts", "host"], "uts", true),
                (["--cgroupns", "host"], "cgroup", true), (["--cgroupns", "private"], "cgroup", false),
                (["--userns", "host"], "user", true), (["--ipc", "none"], "ipc", false), ([], "pid", false),
            ]
            for (index, row) in cases.enumerated() {
                let name = "h\(index)"
                try suite.startShell(name, "sleep 100", options: row.options)
                let inside = try namespace(row.kind, of: try pid(suite, name))
                #expect((inside == (try namespace(row.kind, of: own))) == row.isShared, "\(row.options)")
                try suite.succeed("rm", "-f", name)
            }
            let shared = try suite.petrel("run", "--rm", "--ipc", "none", "busybox", "ls", "/dev/shm")
            #expect(shared.status != 0, "\(shared)")
            let conflict = try suite.petrel(
                "run",
                "--rm",
                "--uts",
                "host",
                "--hostname",
                "h",
                "busybox",
                "true"
            )
            #expect(conflict.status == 125 && conflict.stderr.contains("conflicting"), "\(conflict)")
        }
    }

    /// With the host's process numbers the kernel ends nothing with the first process.
    @Test func nothingOutlivesAContainerWithTheHostsProcesses() throws {
        try withSuite { suite in
            try suite.startShell("p", "sleep 98765 & sleep 100", options: ["--pid", "host"])
            func sleeper() -> Bool {
                HostProcess.all(mentioning: "98765").contains { $0.arguments.last == "98765" }
            }
            try eventually("sleep 98765") { sleeper() }
            try suite.succeed("kill", "p")
            try suite.waitUntil("p", is: "exited")
            try eventually("end of sleep 98765") { !sleeper() }
        }
    }

    @Test func namespacesOfAnotherContainer() throws {
        try withSuite { suite in
            let id = try suite.startShell(
                "a",
                "echo theirs > /dev/shm/word; echo ready; exec sleep 1000",
                options: ["--ipc", "shareable", "--hostname", "harbour"]
            )
            try suite.waitForLines("a", 1)
            let options = [
                "--network", "container:a", "--pid", "container:\(id.prefix(12))", "--ipc", "container:a",
            ]
            try suite.startShell(
                "b",
                "cat /dev/shm/word; hostname; ps | grep -c 'sleep 1000'; exec sleep 2000",
                options: options
            )
            try suite.waitForLines("b", 3)
            #expect(try suite.petrel("logs", "b").lines.prefix(2) == ["theirs", "harbour"])
            let (a, b) = (try pid(suite, "a"), try pid(suite, "b"))
            for kind in ["net", "pid", "ipc"] {
                #expect(try namespace(kind, of: a) == (try namespace(kind, of: b)), "\(kind)")
            }
            for kind in ["mnt", "uts"] {
                #expect(try namespace(kind, of: a) != (try namespace(kind, of: b)), "\(kind)")
            }
            // An exec is where its container is.
            let exec = try suite.petrel(
                "exec",
                "b",
                "sh",
                "-c",
                "readlink /proc/self/ns/pid; readlink /proc/self/ns/net"
            )
            #expect(exec.lines == [try namespace("pid", of: a), try namespace("net", of: a)], "\(exec)")
            // Its process ends with the other's process namespace; it is not restarted.
            try suite.succeed("kill", "a")
            try suite.waitUntil("b", is: "exited")
            let refused = try suite.petrel("start", "b")
            #expect(refused.status == 1 && refused.stderr.contains("is not running"), "\(refused)")
            try suite.succeed("start", "a")
            try suite.succeed("start", "b")
            #expect(
                try namespace("pid", of: try pid(suite, "a"))
                    == (try namespace("pid", of: try pid(suite, "b")))
            )
        }
    }

    @Test func joiningLeavesNothingOpenAndIsRefusedWhereItCannotBe() throws {
        try withSuite { suite in
            try suite.startShell("a", "exec sleep 1000", options: ["--ipc", "shareable"])
            try suite.startShell("b", "exec sleep 1000", options: ["--ipc", "container:a"])
            try suite.startShell("c", "exec sleep 1000")
            let joined = ["--network", "container:a", "--pid", "container:a", "--ipc", "container:a"]
            let open = try suite.petrel(
                ["run", "--rm"] + joined + ["busybox", "sh", "-c", "ls -1 /proc/self/fd | wc -l"]
            )
            #expect(open.text == "4", "\(open)")
            let absent = try suite.petrel("run", "--rm", "--pid", "container:nobody", "busybox", "true")
            #expect(absent.status == 125 && absent.stderr.contains("nobody"), "\(absent)")
            let unshared = try suite.petrel("run", "--rm", "--ipc", "container:c", "busybox", "true")
            #expect(unshared.status == 125 && unshared.stderr.contains("non-shareable"), "\(unshared)")
            let chained = try suite.petrel("run", "--rm", "--ipc", "container:b", "busybox", "true")
            #expect(chained.status == 0, "\(chained)")
        }
    }

    /// The restart policy brings both back, in whatever order they die, with the engine gone.
    @Test func joinedNamespacesAreFoundAgainWithoutTheEngine() throws {
        try withSuite { suite in
            let always = ["--restart", "always"]
            try suite.startShell("a", "exec sleep 1000", options: always)
            try suite.startShell(
                "b",
                "exec sleep 2000",
                options: always + ["--pid", "container:a", "--network", "container:a"]
            )
            for round in 0..<3 {
                let before = (try pid(suite, "a"), try pid(suite, "b"))
                let network = try namespace("net", of: before.0)
                if round == 1 { try suite.kill(.engine) }
                if round == 2 { try suite.kill(.supervisor) }
                Foundation.kill(pid_t(before.0), SIGKILL)
                try suite.waitUntilHealthy()
                try eventually("both again", within: 30) {
                    guard try suite.status(of: "a") == "running", try suite.status(of: "b") == "running"
                    else {
                        return false
                    }
                    let (a, b) = (try self.pid(suite, "a"), try self.pid(suite, "b"))
                    guard a != before.0, b != before.1 else { return false }
                    return try self.namespace("pid", of: a) == (try self.namespace("pid", of: b))
                }
                // A network namespace outlives its container's runs.
                #expect(try namespace("net", of: try pid(suite, "b")) == network)
                #expect(try namespace("net", of: try pid(suite, "a")) == network)
            }
        }
    }

    /// While the other one is down, a restart by the policy is tried again and again.
    @Test func aRestartWaitsForTheOtherOne() throws {
        try withSuite { suite in
            try suite.startShell("a", "exec sleep 1000")
            try suite.startShell(
                "b",
                "exec sleep 2000",
                options: ["--restart", "always", "--pid", "container:a"]
            )
            try suite.succeed("kill", "a")
            try suite.waitUntil("b", is: "restarting")
            try eventually("a failed restart") {
                try suite.state("b")["Error"].string?.contains("join pid namespace") == true
            }
            try suite.succeed("start", "a")
            try suite.waitUntil("b", is: "running")
            #expect(
                try namespace("pid", of: try pid(suite, "a"))
                    == (try namespace("pid", of: try pid(suite, "b")))
            )
        }
    }

    @Test(.needsLegacyCgroups)
    func theControlGroupsParentIsMadeAndRemoved() throws {
        try withSuite { suite in
            let parent = "petrel-parent-\(getpid())"
            let kept = "/sys/fs/cgroup/pids/\(parent)/kept"
            let id = try suite.startShell("c", "sleep 100", options: ["--cgroup-parent", "/\(parent)/made"])
            let path = "/sys/fs/cgroup/pids/\(parent)/made/\(id)"
            #expect(FileManager.default.fileExists(atPath: path))
            let procs = try String(contentsOfFile: path + "/cgroup.procs", encoding: .utf8)
            #expect(procs.contains("\(try pid(suite, "c"))"))
            // What somebody else has made stays, though it is empty.
            try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: false)
            let other = try suite.startShell(
                "d",
                "sleep 100",
                options: ["--cgroup-parent", "\(parent)/kept"]
            )
            #expect(FileManager.default.fileExists(atPath: kept + "/" + other))
            try suite.succeed("rm", "-f", "c", "d")
            #expect(!FileManager.default.fileExists(atPath: "/sys/fs/cgroup/pids/\(parent)/made"))
            #expect(FileManager.default.fileExists(atPath: kept))
            for hierarchy in try FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup") {
                rmdir("/sys/fs/cgroup/\(hierarchy)/\(parent)/kept")
                rmdir("/sys/fs/cgroup/\(hierarchy)/\(parent)")
            }
            let outside = try suite.petrel("run", "--rm", "--cgroup-parent", "../..", "busybox", "true")
            #expect(outside.status == 125, "\(outside)")
        }
    }
}
