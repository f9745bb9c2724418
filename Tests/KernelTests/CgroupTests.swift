// SPDX-License-Identifier: Apache-2.0
import Cgroups
import RuntimeSpec
import System
import TestSupport
import Testing

@Suite(.needsRoot, .serialized)
struct CgroupTests {
    private func withGroup(_ body: (Cgroup) throws -> Void) throws {
        let name = "petrel-test-" + TestRoot.newName("g")
        let cgroup = try Cgroup(name + "/one", in: CgroupLayout.detect())
        defer {
            try? cgroup.killAll()
            try? cgroup.remove()
            #expect(HostProcess.cgroups(named: name).isEmpty)
        }
        try body(cgroup)
    }

    /// The next container needs it.
    @Test func aSuitesOwnGroupStays() throws {
        let layout = try CgroupLayout.detect()
        let suite = try Cgroup("petrel-00c0ffee", in: layout)
        try #require(!suite.exists)
        defer { suite.removeIfEmpty() }
        let cgroup = try Cgroup(suite.path + "/one", in: layout)
        try cgroup.create()
        try cgroup.remove()
        #expect(!cgroup.exists && suite.exists)
        try cgroup.create()
        suite.removeIfEmpty()
        #expect(cgroup.exists)
        try cgroup.remove()
        suite.removeIfEmpty()
        #expect(!suite.exists)
    }

    /// A process in every hierarchy of the group.
    private func sleeper(in cgroup: Cgroup) throws -> ChildProcess {
        let files =
            (cgroup.layout.hierarchies.map(cgroup.directory(in:))
            + [cgroup.unifiedDirectory].compactMap { $0 })
            .map { "echo $$ > \($0)/cgroup.procs" }.joined(separator: " && ")
        let child = try ChildProcess("/bin/sh", ["-c", files + " && sleep 100 & wait"])
        try eventually("two processes in the group", within: 10) { cgroup.processes().count >= 1 }
        return child
    }

    @Test func everythingMayBeRepeated() throws {
        try withGroup { cgroup throws in
            #expect(!cgroup.exists)
            try cgroup.createUnified()
            let hasUnified = cgroup.layout.unifiedMountPoint != nil
            #expect(cgroup.exists == hasUnified)
            try cgroup.create()
            try cgroup.create()
            #expect(cgroup.exists && cgroup.processes().isEmpty)
            try cgroup.thaw()
            try cgroup.killAll()
            #expect(cgroup.oomKillCount() == 0 || cgroup.layout.hierarchy(of: "memory") == nil)
            try cgroup.remove()
            try cgroup.remove()
            try cgroup.killAll()
            #expect(!cgroup.exists)
            #expect(try !cgroup.isFrozen())
        }
    }

    @Test func limitsReachTheKernelAndMayChange() throws {
        try withGroup { cgroup throws in
            try cgroup.create()
            for bytes: Int64 in [64 << 20, 32 << 20, 128 << 20, -1] {
                let swap = bytes < 0 ? -1 : bytes * 2
                try cgroup.apply(Resources(memory: .init(limit: bytes, swap: swap), pidsLimit: 50))
                guard bytes > 0, let hierarchy = cgroup.layout.hierarchy(of: "memory") else { continue }
                #expect(
                    try Files.text(of: cgroup.directory(in: hierarchy) + "/memory.limit_in_bytes")
                        == "\(bytes)"
                )
            }
            let cpu = Resources.CPU(shares: 512, quotaMicros: 50_000, periodMicros: 100_000, cpus: "0")
            try cgroup.apply(Resources(cpu: cpu, devices: DockerDefaults.deviceRules))
            #expect(throws: CgroupError.self) { try cgroup.apply(Resources(cpu: .init(cpus: "99999"))) }
            guard cgroup.layout.kind != .unified else { return }
            #expect(throws: CgroupError.unsupported("linux.resources.unified")) {
                try cgroup.apply(Resources(unified: ["memory.high": "1"]))
            }
        }
    }

    @Test func processesFreezeThawAndDie() throws {
        try withGroup { cgroup throws in
            try cgroup.create()
            let child = try sleeper(in: cgroup)
            try cgroup.freeze(deadlineNanos: Clock.bootNanos + 5_000_000_000)
            #expect(try cgroup.isFrozen())
            try cgroup.thaw()
            #expect(try !cgroup.isFrozen())
            try cgroup.freeze(deadlineNanos: Clock.bootNanos + 5_000_000_000)
            // Also while frozen.
            try cgroup.killAll()
            _ = try child.finish(within: 10)
            try eventually("the group is empty", within: 10) { cgroup.processes().isEmpty }
            try cgroup.remove()
            #expect(!cgroup.exists)
        }
    }

    @Test func aGroupInUseIsNotRemoved() throws {
        try withGroup { cgroup throws in
            try cgroup.create()
            let child = try sleeper(in: cgroup)
            #expect(!cgroup.removeIfEmpty() && cgroup.exists)
            let error = #expect(throws: SystemError.self) { try cgroup.remove() }
            #expect(error?.name == "EBUSY")
            try cgroup.killAll()
            _ = try child.finish(within: 10)
            try eventually("the group is removed", within: 10) { cgroup.removeIfEmpty() }
            #expect(!cgroup.exists)
        }
    }

    /// A new cpuset below one that has nothing yet, as one whose maker died has it.
    @Test func everyLevelOfACpusetHasProcessors() throws {
        try withGroup { cgroup throws in
            guard let hierarchy = cgroup.layout.hierarchy(of: "cpuset") else { return }
            try cgroup.create()
            try Files.removeDirectory(cgroup.directory(in: hierarchy), at: Files.currentDirectory)
            let parent = Files.parentPath(of: cgroup.directory(in: hierarchy))
            try Files.writeOnce("\n", to: parent + "/cpuset.cpus")
            #expect(try Files.text(of: parent + "/cpuset.cpus").isEmpty)
            try cgroup.create()
            let processors = try Files.text(of: cgroup.directory(in: hierarchy) + "/cpuset.cpus")
            #expect(try processors == Files.text(of: hierarchy.mountPoint + "/cpuset.cpus"))
            #expect(!processors.isEmpty)
        }
    }
}
