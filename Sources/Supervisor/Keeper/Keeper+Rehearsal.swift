// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import ContainerRuntime
internal import Messages
internal import RuntimeSpec
internal import System

/// What a template does before copies are made of it, so that they need not.
extension Keeper {
    /// As most containers have it, with one thing of each kind; its root is not there.
    private static let specification = """
        {"ociVersion": "1.2.0",
         "process": {"user": {"uid": 0, "gid": 0}, "args": ["true"], "env": ["PATH=/bin"], "cwd": "/", "oomScoreAdj": 0,
          "capabilities": {"bounding": ["CAP_CHOWN"], "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN"]}},
         "root": {"path": "/proc/self/fd/rehearsal"}, "hostname": "rehearsal",
         "mounts": [
          {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
          {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "size=65536k"]},
          {"destination": "/etc/hosts", "type": "bind", "source": "/hosts", "options": ["rbind", "rprivate"]}],
         "linux": {
          "namespaces": [{"type": "mount"}, {"type": "uts"}],
          "devices": [{"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}],
          "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": []},
          "maskedPaths": ["/proc/kcore", "/proc/acpi/"], "readonlyPaths": ["/proc/sys"], "cgroupsPath": "/rehearsal"}}
        """
    /// Which need a control group.
    private static let limits = """
        {"ociVersion": "1.2.0", "linux": {"resources": {"devices": [{"allow": false, "access": "rwm"},
         {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]}}}
        """
    private static let limitNanos: Int64 = 1_000_000_000

    /// Keeps a container that cannot start, in a directory that nobody else sees and without a control group: the memory
    /// that keepers need from their first message to their last is in place then, and is the copies' too.
    ///
    /// Takes some milliseconds. What goes wrong is of no consequence.
    static func rehearse() {
        try? keepNothing()
        _ = try? ContainerSpec(parsing: Array(limits.utf8)).linux.resources.legacySettings
    }

    private static func keepNothing() throws {
        let context = SharedDescriptor(try Mounts.openFileSystem("tmpfs"))
        let place = SharedDescriptor(try Mounts.create(context.raw))
        defer { withExtendedLifetime((context, place)) {} }
        let directory = "/proc/self/fd/\(place.raw)"
        try write(to: directory)
        var options = Options(directory: directory, runDirectory: directory, release: "")
        options.openFiles = 1024
        options.groups = CgroupLayout(mountInfo: "")
        let pair = try SequencedSocket.pair()
        let keeper = try Keeper(options, supervisor: try SystemEnvironment.duplicate(pair.second.raw))
        let supervisor = try ControlConnection(try SystemEnvironment.duplicate(pair.first.raw))
        try keeper.actAll(before: supervisor)
        let plan = try keeper.initPlan(keeper.limited(try keeper.files.spec()))
        RootRehearsal.act(plan, in: place.raw, cgroup: keeper.cgroup)
    }

    private static func write(to directory: String) throws(SystemError) {
        let mount = CommonV1.Mount(type: "overlay", source: "overlay", target: "", options: ["lowerdir=/"])
        let record = KeeperV1.ContainerRecord(
            version: 1,
            id: "rehearsal",
            rootfs: [mount],
            outputMaxSegmentBytes: 1 << 20,
            outputMaxSegments: 2,
            cgroupPath: "rehearsal",
            seccompProgram: directory + "/filter"
        )
        // BPF_RET of SECCOMP_RET_ALLOW; 16 bits code, 8 and 8 bits of jumps, 32 bits value, all little-endian.
        let filter: [UInt8] = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]
        let files = [
            ("container.pb", record.serialized()), ("filter", filter),
            ("config.json", Array(specification.utf8)),
        ]
        for (name, bytes) in files { try Files.replaceForThisBoot(directory + "/" + name, with: bytes) }
    }

    /// Says to a keeper what a supervisor says to one of a container that fails.
    private func actAll(before supervisor: ControlConnection) throws {
        supervisor.send(.hello(KeeperV1.Hello(release: "")), id: 1)
        supervisor.send(.start(KeeperV1.Start(run: 1)), id: 2)
        let limit = Clock.bootNanos + Self.limitNanos
        while !isReleased, Clock.bootNanos < limit {
            try takeTurn(until: limit)
            while let (packet, _) = supervisor.receive() {
                switch packet.body {
                case .custody:
                    supervisor.send(.custodyHeld(KeeperV1.CustodyHeld(run: 1)))
                case .reply where packet.id == 2:
                    try recordLife()
                    supervisor.send(.custodyQuery(KeeperV1.CustodyQuery()), id: 3)
                    supervisor.send(.release(KeeperV1.Release()), id: 4)
                default: break
                }
            }
        }
        initJob?.closeDescriptors()
    }

    /// What only a program that runs has recorded.
    private func recordLife() throws(SystemError) {
        guard let job = initJob else { return }
        job.record.state = .building
        try recordRunning(job)
        job.phase = .finished
    }
}
