// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// What the engine knows of this machine.
package struct Host: Sendable {
    package var name: String
    package var kernelRelease: String
    /// "Debian GNU/Linux 12 (bookworm)".
    package var operatingSystem: String
    package var operatingSystemVersion: String
    package var cpus: Int
    package var memoryBytes: UInt64
    /// Bits by number: what this process, and so every container, can have at most.
    package var capabilityBits: UInt64
    package var deviceDirectory: String
    /// `0-3`; empty where it is not known.
    package var onlineCPUs = ""
    package var onlineMemories = ""
    /// What this process, and so every container, can have at most without CAP_SYS_RESOURCE.
    var hardLimits: [ProcessSpec.ResourceLimit.Kind: UInt64] = [:]
    /// `fs.nr_open`.
    var mostOpenFiles = UInt64.max
    package var hasAppArmor = false
    package var hasSELinux = false
    package var hasBlockWeight = true
    /// The program of `--init`.
    package var initProgram = ""

    package init(
        name: String,
        kernelRelease: String,
        operatingSystem: String,
        operatingSystemVersion: String,
        cpus: Int,
        memoryBytes: UInt64,
        capabilityBits: UInt64,
        deviceDirectory: String
    ) {
        self.name = name
        self.kernelRelease = kernelRelease
        self.operatingSystem = operatingSystem
        self.operatingSystemVersion = operatingSystemVersion
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.capabilityBits = capabilityBits
        self.deviceDirectory = deviceDirectory
    }

    #if arch(arm64)
        /// As images name it.
        package static let architecture = "arm64"
        /// As uname(2) names it.
        package static let machine = "aarch64"
    #else
        /// As images name it.
        package static let architecture = "amd64"
        /// As uname(2) names it.
        package static let machine = "x86_64"
    #endif

    /// Reads `/proc` and `/etc/os-release`; what cannot be read is left empty.
    package static func current() -> Host {
        let release = fields(of: "/etc/os-release", separator: "=")
        let memory = fields(of: "/proc/meminfo", separator: ":")["MemTotal"]?.split(separator: " ").first
        let bounding = fields(of: "/proc/self/status", separator: ":")["CapBnd"] ?? ""
        var host = Host(
            name: (try? Files.text(of: "/proc/sys/kernel/hostname")) ?? "",
            kernelRelease: (try? Files.text(of: "/proc/sys/kernel/osrelease")) ?? "",
            operatingSystem: release["PRETTY_NAME"] ?? "Linux",
            operatingSystemVersion: release["VERSION_ID"] ?? "",
            cpus: processors(),
            memoryBytes: (memory.flatMap { UInt64($0) } ?? 0) * 1024,
            capabilityBits: UInt64(bounding, radix: 16) ?? .max,
            deviceDirectory: "/dev"
        )
        host.onlineCPUs = (try? Files.text(of: "/sys/devices/system/cpu/online")) ?? ""
        host.onlineMemories = (try? Files.text(of: "/sys/devices/system/node/online")) ?? ""
        for kind in ProcessSpec.ResourceLimit.Kind.allCases {
            host.hardLimits[kind] = try? ResourceLimits.value(kind.kernelNumber).hard
        }
        host.mostOpenFiles = (try? Files.text(of: "/proc/sys/fs/nr_open")).flatMap { UInt64($0) } ?? .max
        host.hasAppArmor = (try? Files.text(of: "/sys/module/apparmor/parameters/enabled")) == "Y"
        host.hasSELinux = Files.exists("/sys/fs/selinux/enforce")
        host.hasBlockWeight = hasBlockWeight
        if let program = try? Files.link(at: "/proc/self/exe") {
            host.initProgram = Files.parentPath(of: program) + "/petrel-container-init"
        }
        return host
    }

    /// Version 1 has weights where the BFQ scheduler is built in (its statistics are in the root group too); version 2
    /// ignores what it does not have.
    private static var hasBlockWeight: Bool {
        let directory = "/sys/fs/cgroup/blkio"
        return !Files.exists(directory) || Files.exists(directory + "/blkio.bfq.io_serviced")
    }

    var capabilities: Set<Capability> {
        Set(Capability.allCases.filter { capabilityBits >> UInt64($0.number) & 1 == 1 })
    }

    /// What even a privileged container cannot have here.
    var missingCapabilities: [String] {
        Capability.allCases.filter { !capabilities.contains($0) }.map(\.rawValue)
    }

    private static func processors() -> Int {
        let text = (try? Files.text(of: "/sys/devices/system/cpu/online")) ?? "0"
        let count = text.split(separator: ",").reduce(0) { count, range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            return count + (ends.count == 2 ? ends[1] - ends[0] + 1 : ends.count)
        }
        return max(1, count)
    }

    private static func fields(of path: String, separator: Character) -> [String: String] {
        var result: [String: String] = [:]
        for line in ((try? Files.text(of: path)) ?? "").split(separator: "\n") {
            guard let end = line.firstIndex(of: separator) else { continue }
            var value = line[line.index(after: end)...].drop { $0 == " " || $0 == "\t" || $0 == "\"" }
            while value.last == "\"" || value.last == " " { value.removeLast() }
            result[String(line[..<end])] = String(value)
        }
        return result
    }

    /// What each container has a /dev of its own for.
    static let containersOwn: Set = [
        "pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console", "ptmx",
    ]

    /// The machine's device nodes, for a privileged container; without those that each container has of its own.
    func devices() -> [Device] { devices(in: deviceDirectory, below: "/dev", depth: 0) }

    private func devices(in directory: String, below prefix: String, depth: Int) -> [Device] {
        guard depth < 8, let names = try? Files.names(in: directory) else { return [] }
        return names.filter { depth > 0 || !Host.containersOwn.contains($0) }.flatMap { name -> [Device] in
            let path = "\(directory)/\(name)"
            guard let status = try? Files.status(of: path) else { return [] }
            if status.kind == .directory {
                return devices(in: path, below: "\(prefix)/\(name)", depth: depth + 1)
            }
            guard status.kind == .characterDevice || status.kind == .blockDevice else { return [] }
            return [
                Device(
                    path: "\(prefix)/\(name)",
                    kind: status.kind == .blockDevice ? .block : .character,
                    major: status.deviceMajor,
                    minor: status.deviceMinor,
                    fileMode: status.permissions,
                    uid: status.user,
                    gid: status.group
                )
            ]
        }
    }
}
