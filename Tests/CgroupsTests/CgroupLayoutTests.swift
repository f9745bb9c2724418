// SPDX-License-Identifier: Apache-2.0
import Cgroups
import Testing

struct CgroupLayoutTests {
    static let hybrid = """
        22 27 0:21 / /proc rw,relatime - proc proc rw
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct
        34 31 0:31 / /sys/fs/cgroup/a\\040b rw,relatime - cgroup cgroup rw,cpuset
        35 31 0:32 /docker/x /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        36 31 0:32 / /mnt/memory rw,relatime - cgroup cgroup rw,memory
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """

    @Test func hybridMachinesHaveBoth() throws {
        let layout = CgroupLayout(mountInfo: Self.hybrid)
        #expect(layout.kind == .hybrid)
        #expect(layout.unifiedMountPoint == "/sys/fs/cgroup/unified")
        #expect(
            layout.hierarchies.map(\.controllers) == [
                ["cpu", "cpuacct"], ["cpuset"], ["memory"], ["name=systemd"],
            ]
        )
        #expect(layout.hierarchy(of: "cpuset")?.mountPoint == "/sys/fs/cgroup/a b")
        // A mount of the hierarchy's root is better than one of a part.
        #expect(layout.hierarchy(of: "memory")?.mountPoint == "/mnt/memory")
        let cgroup = try Cgroup("petrel/x", in: layout)
        #expect(cgroup.directory(of: "cpuacct") == "/sys/fs/cgroup/cpu,cpuacct/petrel/x")
        #expect(cgroup.directory(of: "pids") == nil)
        #expect(cgroup.unifiedDirectory == "/sys/fs/cgroup/unified/petrel/x")
    }

    @Test func unifiedAndLegacyMachinesHaveOne() throws {
        let unified = CgroupLayout(mountInfo: "30 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate")
        #expect(unified.kind == .unified)
        #expect(try Cgroup("/a/b/", in: unified).directory(of: "memory") == "/sys/fs/cgroup/a/b")
        let legacy = CgroupLayout(mountInfo: "30 1 0:1 / /cg/pids rw - cgroup pids rw,pids")
        #expect(legacy.kind == .legacy)
        #expect(try Cgroup("a", in: legacy).unifiedDirectory == nil)
        #expect(CgroupLayout(mountInfo: "").hierarchies.isEmpty)
    }

    @Test(arguments: ["", "/", "..", "a/../b", "a/./b", "a\0b"])
    func pathsStayInTheHierarchy(path: String) {
        let layout = CgroupLayout(mountInfo: Self.hybrid)
        #expect(throws: (any Error).self) { try Cgroup(path, in: layout) }
    }
}
