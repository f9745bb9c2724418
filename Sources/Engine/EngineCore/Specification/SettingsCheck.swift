// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// The rules that settings must keep, whatever the image.
extension ContainerSettings {
    private static let smallestMemoryBytes: UInt64 = 6 << 20

    /// - Throws: `.invalidField`, `.invalidSignal`.
    func check(on host: Host) throws(EngineError) {
        if autoRemove, restart.mode != .no {
            let text = "a container that is removed at its end cannot have a restart policy"
            throw .invalidField("restart policy", text, advice: "leave out --rm or --restart")
        }
        if limits.memoryBytes > 0, limits.memoryBytes < ContainerSettings.smallestMemoryBytes {
            throw .invalidField(
                "memory",
                "the memory limit \(limits.memoryBytes) is less than the minimum of 6 MiB"
            )
        }
        if limits.memoryBytes > UInt64(Int64.max / 2) {
            throw .invalidField("memory", "the memory limit \(limits.memoryBytes) is too large")
        }
        if limits.nanoCPUs > 0 {
            guard limits.nanoCPUs >= 10_000_000, limits.nanoCPUs <= UInt64(host.cpus) * 1_000_000_000 else {
                let text =
                    "the number of CPUs must be from 0.01 to \(host.cpus), as there are only \(host.cpus)"
                throw .invalidField("cpus", text)
            }
        }
        guard limits.processes >= -1 else {
            throw .invalidField(
                "pids limit",
                "the limit of processes must be -1 or more, not \(limits.processes)"
            )
        }
        if !stopSignal.isEmpty { _ = try ContainerSignal(stopSignal) }
        for variable in environment where Environment.name(of: variable).isEmpty {
            throw .invalidField("environment", "the variable \"\(variable)\" has no name")
        }
        _ = try CapabilityChoice(settings: self, available: host.capabilities)
        try checkBinds()
    }

    private func checkBinds() throws(EngineError) {
        var seen: Set<String> = []
        for bind in binds {
            guard bind.source.hasPrefix("/") else {
                let text = "the bind source \"\(bind.source)\" is not an absolute path"
                throw .invalidField("volume", text, advice: "named volumes do not exist yet: give a path")
            }
            let target = ContainerSettings.clean(bind.target)
            guard bind.target.hasPrefix("/"), target != "/" else {
                let text = "the mount target \"\(bind.target)\" must be an absolute path other than /"
                throw .invalidField("volume", text)
            }
            guard seen.insert(target).inserted else {
                throw .invalidField("volume", "duplicate mount point: \(target)")
            }
            guard bind.propagation.isEmpty || LinuxSpec.Propagation(rawValue: bind.propagation) != nil else {
                let text = "unknown propagation \"\(bind.propagation)\" for \(bind.target)"
                throw .invalidField(
                    "volume",
                    text,
                    advice: "use rprivate, private, rslave, slave, rshared or shared"
                )
            }
        }
    }

    /// Makes the sources that are to be made, and checks the others.
    /// - Throws: `.bindSourceAbsent`, `.file`.
    func makeBindSources() throws(EngineError) {
        for bind in binds where !Files.exists(bind.source) {
            guard bind.createSource else { throw .bindSourceAbsent(bind.source) }
            do throws(SystemError) { try Files.makeDirectories(bind.source) } catch { throw .file(error) }
        }
    }

    /// What works otherwise than the user may expect.
    var warnings: [String] {
        guard isPrivileged, !capabilitiesDropped.isEmpty else { return [] }
        return ["--cap-drop has no effect on a privileged container"]
    }

    /// An absolute path without `.`, `..`, doubled and trailing slashes.
    static func clean(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// Which capabilities a container gets: Docker's, without those dropped, with those added; `ALL` is every one.
struct CapabilityChoice {
    let granted: Set<Capability>

    /// - Throws: `.invalidField` for a name that is none.
    init(settings: ContainerSettings, available: Set<Capability>) throws(EngineError) {
        let added = try CapabilityChoice.read(settings.capabilitiesAdded)
        let dropped = try CapabilityChoice.read(settings.capabilitiesDropped)
        guard !settings.isPrivileged else {
            granted = available
            return
        }
        // As Docker has it: adding ALL keeps all but those dropped by name; dropping ALL keeps those added by name.
        if added.isAll {
            granted = Set(Capability.allCases).subtracting(dropped.named).intersection(available)
        } else if dropped.isAll {
            granted = added.named.intersection(available)
        } else {
            granted = DockerDefaults.capabilities.subtracting(dropped.named).union(added.named).intersection(
                available
            )
        }
    }

    private static func read(_ names: [String]) throws(EngineError) -> (isAll: Bool, named: Set<Capability>) {
        var named: Set<Capability> = []
        var isAll = false
        for name in names {
            if ["ALL", "CAP_ALL"].contains(name.uppercased()) {
                isAll = true
            } else if let capability = Capability(userSpelling: name) {
                named.insert(capability)
            } else {
                throw .invalidField(
                    "capability",
                    "unknown capability \"\(name)\"",
                    advice: "see capabilities(7)"
                )
            }
        }
        return (isAll, named)
    }
}
