// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// The rules of what is mounted into a container, and of devices.
extension ContainerSettings {
    private static let mountLimit = 1024

    func checkMounts() throws(EngineError) {
        var seen: Set<String> = []
        for bind in binds {
            guard bind.source.hasPrefix("/") else {
                let text = "the bind source \"\(bind.source)\" is not an absolute path"
                throw .invalidField("volume", text, advice: "named volumes do not exist yet: give a path")
            }
            try check(target: bind.target, among: &seen)
            try check(bind.propagation, of: bind.target)
        }
        for mount in storage.mounts { try check(mount, among: &seen) }
        for (target, options) in storage.tmpfs {
            try check(target: target, among: &seen)
            _ = try TmpfsOptions(options, target: target)
        }
        guard seen.count <= ContainerSettings.mountLimit else {
            throw .invalidField("volume", "more than \(ContainerSettings.mountLimit) mounts")
        }
        let texts = binds.map(\.source) + storage.mounts.map(\.source) + seen
        guard !texts.contains(where: { $0.utf8.contains(0) || $0.utf8.count > 4096 }) else {
            throw .invalidField("volume", "a path with a NUL byte, or longer than 4096 bytes")
        }
        guard storage.volumesFrom.count <= 64 else {
            throw .invalidField("volumes from", "the volumes of more than 64 containers")
        }
        for text in storage.volumesFrom { _ = try VolumesFrom(text) }
    }

    private func check(target text: String, among seen: inout Set<String>) throws(EngineError) {
        let target = ContainerSettings.clean(text)
        guard text.hasPrefix("/"), target != "/" else {
            throw .invalidField(
                "volume",
                "the mount target \"\(text)\" must be an absolute path other than /"
            )
        }
        guard seen.insert(target).inserted else {
            throw .invalidField("volume", "duplicate mount point: \(target)")
        }
    }

    private func check(_ propagation: String, of target: String) throws(EngineError) {
        guard propagation.isEmpty || ContainerSettings.propagations.contains(propagation) else {
            throw .invalidField(
                "volume",
                "unknown propagation \"\(propagation)\" for \(target)",
                advice: "use rprivate, private, rslave, slave, rshared or shared"
            )
        }
    }

    private static let propagations: Set<String> = [
        "private", "rprivate", "slave", "rslave", "shared", "rshared",
    ]

    private func check(_ mount: Storage.Mount, among seen: inout Set<String>) throws(EngineError) {
        try check(target: mount.target, among: &seen)
        switch mount.kind {
        case .bind:
            guard mount.source.hasPrefix("/") else {
                let text = "the bind source \"\(mount.source)\" for \(mount.target) is not an absolute path"
                throw .invalidField("mount", text)
            }
            try check(mount.propagation, of: mount.target)
            guard mount.sizeBytes == 0, mount.mode == 0 else {
                throw .invalidField("mount", "the bind mount \(mount.target) has options of a tmpfs")
            }
        case .tmpfs:
            guard mount.source.isEmpty else {
                throw .invalidField("mount", "the tmpfs \(mount.target) must not have a source")
            }
            guard mount.propagation.isEmpty, !mount.isNonRecursive, !mount.createSource else {
                throw .invalidField("mount", "the tmpfs \(mount.target) has options of a bind mount")
            }
            guard mount.mode <= 0o7777, mount.sizeBytes <= UInt64(Int64.max) else {
                throw .invalidField("mount", "the size or mode of the tmpfs \(mount.target) is too large")
            }
        }
    }

    /// Makes the sources that are to be made, and checks the others.
    /// - Throws: `.bindSourceAbsent`, `.file`.
    func makeBindSources() throws(EngineError) {
        let mounted = storage.mounts.filter { $0.kind == .bind }
        let sources =
            binds.map { ($0.source, $0.createSource) } + mounted.map { ($0.source, $0.createSource) }
        for (source, isToBeMade) in sources where !Files.exists(source) {
            guard isToBeMade else { throw .bindSourceAbsent(source) }
            do throws(SystemError) { try Files.makeDirectories(source) } catch { throw .file(error) }
        }
    }

    // MARK: - Devices

    func checkDevices() throws(EngineError) {
        guard devices.mappings.count <= 256, devices.rules.count <= 1024 else {
            throw .invalidField("device", "more than 256 devices, or more than 1024 rules for them")
        }
        for device in devices.mappings {
            for path in [device.source, device.target] {
                guard path.hasPrefix("/"), path.utf8.count <= 4096, !path.utf8.contains(0) else {
                    throw .invalidField("device", "the device \"\(path)\" is not an absolute path")
                }
            }
            guard ContainerSettings.clean(device.target) != "/" else {
                throw .invalidField("device", "a device cannot take the place of /")
            }
            guard ContainerSettings.arePermissions(device.permissions) else {
                throw .invalidField(
                    "device",
                    "invalid permissions \"\(device.permissions)\" for \(device.source)",
                    advice: "use some of rwm"
                )
            }
        }
        _ = try deviceRules()
    }

    /// - Throws: `.invalidField` for a rule that is none.
    func deviceRules() throws(EngineError) -> [DeviceRule] {
        var rules: [DeviceRule] = []
        for text in devices.rules {
            let parts = text.split(separator: " ", omittingEmptySubsequences: false)
            let numbers =
                parts.count == 3 ? parts[1].split(separator: ":", omittingEmptySubsequences: false) : []
            guard numbers.count == 2, let kind = DeviceRule.Kind(rawValue: String(parts[0])),
                let major = ContainerSettings.number(numbers[0]),
                let minor = ContainerSettings.number(numbers[1]),
                ContainerSettings.arePermissions(String(parts[2]))
            else {
                throw .invalidField(
                    "device cgroup rule",
                    "invalid device cgroup format \"\(text)\"",
                    advice: "write 'c 1:3 rwm', '*' for any number"
                )
            }
            rules.append(DeviceRule(allow: true, kind, major, minor, access: String(parts[2])))
        }
        return rules
    }

    private static func arePermissions(_ text: String) -> Bool {
        (1...3).contains(text.count) && text.allSatisfy { "rwm".contains($0) }
    }

    /// Nil for what is neither `*` (no number) nor a number.
    private static func number(_ text: Substring) -> UInt32?? {
        if text == "*" { return .some(nil) }
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt32(text) else { return nil }
        return .some(number)
    }
}

/// `<name or id>[:ro|rw]` of `--volumes-from`.
struct VolumesFrom: Hashable {
    let container: String
    /// Nil: as they are there.
    let mode: String?

    init(_ text: String) throws(EngineError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        guard !parts[0].isEmpty else {
            throw .invalidField("volumes from", "no container is named in \"\(text)\"")
        }
        guard parts.count == 1 || ["ro", "rw", "z", "Z"].contains(parts[1]) else {
            throw .invalidField("volumes from", "invalid mode in \"\(text)\"", advice: "use ro or rw")
        }
        container = parts[0]
        mode = parts.count == 2 ? parts[1] : nil
    }
}

/// The options of a `--tmpfs`: Docker's defaults, changed by what is given.
struct TmpfsOptions: Hashable {
    let options: [String]

    private static let defaults = ["nosuid", "noexec", "nodev", "rprivate"]
    private static let opposites = [
        "exec": "noexec", "suid": "nosuid", "dev": "nodev", "rw": "ro", "atime": "noatime",
        "diratime": "nodiratime",
    ]
    private static let others: Set<String> = ["relatime", "norelatime", "strictatime", "nostrictatime"]
    private static let propagations: Set<String> = [
        "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable",
    ]
    private static let valued: Set<String> = [
        "size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "huge",
    ]

    /// - Throws: `.invalidField` for an option that is none of a tmpfs.
    init(_ text: String, target: String) throws(EngineError) {
        var result = TmpfsOptions.defaults
        for option in text.split(separator: ",").map(String.init) {
            if let known = TmpfsOptions.opposites.first(where: { $0.key == option || $0.value == option }) {
                result.removeAll { $0 == known.key || $0 == known.value }
            } else if TmpfsOptions.propagations.contains(option) {
                result.removeAll { TmpfsOptions.propagations.contains($0) }
            } else if !TmpfsOptions.others.contains(option) {
                let name = String(option.prefix { $0 != "=" })
                guard TmpfsOptions.valued.contains(name), option.count > name.count + 1,
                    !option.utf8.contains(0)
                else {
                    throw .invalidField(
                        "tmpfs",
                        "invalid tmpfs option \"\(option)\" for \(target)",
                        advice: "see tmpfs(5): size=64m,mode=1777,exec"
                    )
                }
                result.removeAll { $0.hasPrefix(name + "=") }
            }
            result.append(option)
        }
        options = result
    }
}
