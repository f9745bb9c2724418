// SPDX-License-Identifier: Apache-2.0
package import RuntimeSpec
package import System

/// Everything that a container's first process does before its program, checked and in the kernel's terms.
package struct InitPlan: Hashable, Sendable {
    /// A namespace of somebody else to enter.
    package struct Entered: Hashable, Sendable {
        package let kind: NamespaceKinds
        package let path: String
    }

    package let process: ProcessPlan
    /// The host directory on which the root is mounted, or which is the root when `rootMounts` is empty.
    package let rootPath: String
    package let rootIsReadOnly: Bool
    /// The first one is the root itself; destinations of the others are in the container.
    package let rootMounts: [MountPlan]
    package let mounts: [MountPlan]
    /// New namespaces, all but the control groups', which begins once the process has joined its group.
    package let newNamespaces: NamespaceKinds
    package let hasNewCgroupNamespace: Bool
    package let entered: [Entered]
    package let hostname: String
    package let domainname: String
    package let devices: [Device]
    package let maskedPaths: [String]
    package let readonlyPaths: [String]
    /// Paths below /proc/sys and their text.
    package let sysctls: [String: String]
    package let rootPropagation: MountPlan.Propagation?

    /// - Parameters:
    ///   - rootfs: As the image store gives them; the first one's destination is empty.
    ///   - seccompProgram: `struct sock_filter`s; empty: no filter.
    package init(
        spec: ContainerSpec,
        rootfs: [MountSpec],
        seccompProgram: [UInt8] = []
    ) throws(PlanError) {
        guard let process = spec.process else { throw .missing(field: "process") }
        guard let root = spec.root, root.path.hasPrefix("/") else { throw .missing(field: "root.path") }
        if spec.hooks != nil { throw .unsupported(field: "hooks") }
        if spec.linux.seccomp != nil, seccompProgram.isEmpty { throw .seccompProgram }
        self.process = try ProcessPlan(process, seccomp: spec.linux.seccomp, program: seccompProgram)
        rootPath = root.path
        rootIsReadOnly = root.isReadOnly
        rootMounts = rootfs.map(MountPlan.init)
        mounts = spec.mounts.map(MountPlan.init)
        for (index, mount) in spec.mounts.enumerated() {
            for option in mount.options where ["tmpcopyup", "idmap", "ridmap", "remount"].contains(option) {
                throw .unsupported(field: "mounts[\(index)].options: \(option)")
            }
        }
        let (made, entered) = try Self.namespaces(spec.linux.namespaces)
        var new = made
        let own = entered.reduce(new) { $0.union($1.kind) }
        if !spec.hostname.isEmpty, !new.contains(.uts) {
            throw .unsupported(field: "hostname without a uts namespace")
        }
        if !spec.domainname.isEmpty, !new.contains(.uts) {
            throw .unsupported(field: "domainname without a uts namespace")
        }
        hasNewCgroupNamespace = new.remove(.cgroup) != nil
        newNamespaces = new
        self.entered = entered
        hostname = spec.hostname
        domainname = spec.domainname
        let given = spec.linux.devices
        devices =
            given + DockerDefaults.devices.filter { device in !given.contains { $0.path == device.path } }
        maskedPaths = spec.linux.maskedPaths
        readonlyPaths = spec.linux.readonlyPaths
        sysctls = try Self.sysctls(spec.linux.sysctl, own)
        rootPropagation = spec.linux.rootfsPropagation.map(Self.propagation)
    }

    /// The namespaces to make, and those of somebody else to enter.
    private static func namespaces(
        _ entries: [LinuxSpec.Namespace]
    ) throws(PlanError) -> (new: NamespaceKinds, entered: [Entered]) {
        var new: NamespaceKinds = []
        var entered: [Entered] = []
        for entry in entries {
            guard let kind = kind(entry.kind) else {
                throw .unsupported(field: "linux.namespaces: \(entry.kind)")
            }
            if entry.path.isEmpty {
                new.insert(kind)
            } else {
                entered.append(Entered(kind: kind, path: entry.path))
            }
        }
        guard new.contains(.mount) else {
            throw .unsupported(field: "linux.namespaces: a given or no mount namespace")
        }
        return (new, entered)
    }

    private static func kind(_ kind: LinuxSpec.Namespace.Kind) -> NamespaceKinds? {
        switch kind {
        case .pid: .process
        case .network: .network
        case .mount: .mount
        case .ipc: .ipc
        case .uts: .uts
        case .cgroup: .cgroup
        case .user, .time: nil
        }
    }

    private static func propagation(_ propagation: LinuxSpec.Propagation) -> MountPlan.Propagation {
        switch propagation {
        case .private: .init(kind: .private, isRecursive: false)
        case .rprivate: .init(kind: .private, isRecursive: true)
        case .shared: .init(kind: .shared, isRecursive: false)
        case .rshared: .init(kind: .shared, isRecursive: true)
        case .slave: .init(kind: .slave, isRecursive: false)
        case .rslave: .init(kind: .slave, isRecursive: true)
        case .unbindable: .init(kind: .unbindable, isRecursive: false)
        case .runbindable: .init(kind: .unbindable, isRecursive: true)
        }
    }

    private static let ipcSysctls: Set<String> = [
        "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall", "kernel/shmmax",
        "kernel/shmmni", "kernel/shm_rmid_forced",
    ]

    /// Dots separate, and a slash stands for a dot within a name, unless the first separator is a slash.
    private static func sysctls(
        _ values: [String: String],
        _ namespaces: NamespaceKinds
    ) throws(PlanError) -> [String: String] {
        var result: [String: String] = [:]
        for (name, value) in values {
            let isPath = name.first { $0 == "." || $0 == "/" } == "/"
            let path = isPath ? name : String(name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
            let isPlain = path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && $0 != "." && $0 != ".."
            }
            let isOwn =
                path.hasPrefix("net/") && namespaces.contains(.network)
                || (path.hasPrefix("fs/mqueue/") || ipcSysctls.contains(path)) && namespaces.contains(.ipc)
                || (path == "kernel/hostname" || path == "kernel/domainname") && namespaces.contains(.uts)
            guard isPlain, isOwn else { throw .notNamespaced(sysctl: name) }
            result[path] = value
        }
        return result
    }
}

/// What a process executed in a running container does before its program.
package struct ExecPlan: Hashable, Sendable {
    package let process: ProcessPlan
    /// - Parameter spec: The container's. Its system-call filter and its no_new_privs cover this process too, and so
    ///   do its capabilities and limits where the process has none of its own.
    package init(process: ProcessSpec, spec: ContainerSpec, seccompProgram: [UInt8] = []) throws(PlanError) {
        if spec.linux.seccomp != nil, seccompProgram.isEmpty { throw .seccompProgram }
        var process = process
        if process.capabilities == nil { process.capabilities = spec.process?.capabilities }
        if process.rlimits.isEmpty { process.rlimits = spec.process?.rlimits ?? [] }
        if process.oomScoreAdj == nil { process.oomScoreAdj = spec.process?.oomScoreAdj }
        if spec.process?.noNewPrivileges == true { process.noNewPrivileges = true }
        self.process = try ProcessPlan(process, seccomp: spec.linux.seccomp, program: seccompProgram)
    }
}
