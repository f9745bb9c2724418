// SPDX-License-Identifier: Apache-2.0

/// What Docker gives a container that asks for nothing. Source: moby/profiles and moby/daemon, `oci/defaults.go`.
package enum DockerDefaults {
    /// The search path of a container whose image sets none.
    package static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    package static let capabilities: Set<Capability> = [
        .chown, .dacOverride, .fsetid, .fowner, .mknod, .netRaw, .setgid, .setuid, .setfcap, .setpcap,
        .netBindService, .sysChroot, .kill, .auditWrite,
    ]

    package static let namespaces: [LinuxSpec.Namespace] = [
        .init(.mount), .init(.network), .init(.uts), .init(.pid), .init(.ipc), .init(.cgroup),
    ]

    package static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        "/sys/devices/virtual/powercap", "/sys/firmware",
    ]

    package static let readonlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]

    /// In the order in which they are mounted. `shmBytes` is the size of /dev/shm.
    package static func mounts(shmBytes: Int64 = 64 << 20, privileged: Bool = false) -> [MountSpec] {
        let access = privileged ? "rw" : "ro"
        return [
            mount("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount(
                "/dev/pts",
                "devpts",
                "devpts",
                ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
            ),
            mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", access]),
            mount("/sys/fs/cgroup", "cgroup", "cgroup", [access, "nosuid", "noexec", "nodev"]),
            mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
            mount(
                "/dev/shm",
                "tmpfs",
                "shm",
                ["nosuid", "noexec", "nodev", "mode=1777", "size=\(shmBytes)"]
            ),
        ]
    }

    private static func mount(_ destination: String, _ type: String, _ source: String, _ options: [String])
        -> MountSpec
    {
        MountSpec(destination: destination, type: type, source: source, options: options)
    }

    /// The nodes in /dev: those that every container has by the runtime specification.
    package static let devices: [Device] = [
        Device(path: "/dev/null", major: 1, minor: 3, fileMode: 0o666),
        Device(path: "/dev/zero", major: 1, minor: 5, fileMode: 0o666),
        Device(path: "/dev/full", major: 1, minor: 7, fileMode: 0o666),
        Device(path: "/dev/random", major: 1, minor: 8, fileMode: 0o666),
        Device(path: "/dev/urandom", major: 1, minor: 9, fileMode: 0o666),
        Device(path: "/dev/tty", major: 5, minor: 0, fileMode: 0o666),
    ]

    /// Every node may be made; used may be those of `devices`, consoles and terminals.
    package static let deviceRules = [DeviceRule(allow: false)] + DeviceRule.ofEveryContainer

    /// A whole specification, to be changed by what the user asked for.
    ///
    /// The caller fills in root, hostname, annotations, limits and more mounts. A privileged container has every
    /// capability and device, no masked or read-only path and no system-call filter.
    /// - Parameter kernelRelease: As uname(2) says; the filter allows ptrace only where the kernel made it safe (4.8).
    package static func spec(
        process: ProcessSpec,
        capabilities: Set<Capability> = DockerDefaults.capabilities,
        privileged: Bool = false,
        kernelRelease: String
    ) -> ContainerSpec {
        let granted = privileged ? Set(Capability.allCases) : capabilities
        var process = process
        process.capabilities = CapabilitySets(granted)
        let rules = privileged ? [DeviceRule(allow: true)] : deviceRules
        return ContainerSpec(
            process: process,
            mounts: mounts(privileged: privileged),
            linux: LinuxSpec(
                namespaces: namespaces,
                devices: devices,
                resources: Resources(devices: rules),
                seccomp: privileged
                    ? nil : DockerSeccomp.profile(capabilities: granted, kernelRelease: kernelRelease),
                maskedPaths: privileged ? [] : maskedPaths,
                readonlyPaths: privileged ? [] : readonlyPaths
            )
        )
    }
}
