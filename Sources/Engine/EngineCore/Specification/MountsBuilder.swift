// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec

/// What is mounted in a container: Docker's mounts without those that the user replaces, the engine's files, what other
/// containers have brought, and the user's, outer ones first.
struct MountsBuilder {
    /// Where the program of `--init` is mounted.
    static let initPath = "/sbin/docker-init"

    let settings: ContainerSettings
    let resolved: ResolvedConfiguration
    let files: NetworkFiles
    let host: Host

    /// - Throws: `.invalidField` for options of a tmpfs that are none.
    func mounts(over defaults: [MountSpec]) throws(EngineError) -> [MountSpec] {
        let own = try asked()
        let targets = Set(own.map(\.destination))
        let inherited = (resolved.inheritedMounts ?? []).map(mount).filter {
            !targets.contains($0.destination)
        }
        let taken = targets.union(inherited.map(\.destination))
        let byDepth = (engineFiles.filter { !taken.contains($0.destination) } + inherited + own).enumerated()
            .sorted { left, right in
                let depths = (Self.depth(left.element), Self.depth(right.element))
                return depths.0 == depths.1 ? left.offset < right.offset : depths.0 < depths.1
            }
        let kept = kernelMounts(defaults).filter { mount in
            // Below a /dev of the user's own nothing is put.
            !taken.contains(mount.destination)
                && !(taken.contains("/dev") && mount.destination.hasPrefix("/dev/"))
        }
        return kept + byDepth.map(\.element)
    }

    private static func depth(_ mount: MountSpec) -> Int { mount.destination.split(separator: "/").count }

    private func kernelMounts(_ defaults: [MountSpec]) -> [MountSpec] {
        defaults.compactMap { mount in
            guard mount.destination == "/dev/shm" else { return mount }
            var shared = mount
            switch settings.namespaces.ipc {
            case .none: return nil
            case .host:
                return MountSpec(
                    destination: "/dev/shm",
                    type: "bind",
                    source: "/dev/shm",
                    options: ["rbind", "rprivate"]
                )
            case .private, .shareable, .container:
                guard settings.storage.sharedMemoryBytes > 0 else { return mount }
                shared.options.removeAll { $0.hasPrefix("size=") }
                shared.options.append("size=\(settings.storage.sharedMemoryBytes)")
                return shared
            }
        }
    }

    private var engineFiles: [MountSpec] {
        let readOnly = settings.readOnlyRoot ? ["ro"] : []
        var mounts = files.mounts.map { file in
            MountSpec(
                destination: file.target,
                type: "bind",
                source: file.source,
                options: ["rbind", "rprivate"] + readOnly
            )
        }
        if settings.process.hasInit {
            mounts.append(
                MountSpec(
                    destination: Self.initPath,
                    type: "bind",
                    source: host.initProgram,
                    options: ["bind", "rprivate", "ro"]
                )
            )
        }
        return mounts
    }

    private func asked() throws(EngineError) -> [MountSpec] {
        var mounts = settings.binds.map { mount($0.mount) } + settings.storage.mounts.map(mount)
        for (target, options) in settings.storage.tmpfs.sorted(by: { $0.key < $1.key }) {
            mounts.append(
                MountSpec(
                    destination: ContainerSettings.clean(target),
                    type: "tmpfs",
                    source: "tmpfs",
                    options: try TmpfsOptions(options, target: target).options
                )
            )
        }
        return mounts
    }

    private func mount(_ mount: ContainerSettings.Storage.Mount) -> MountSpec {
        let target = ContainerSettings.clean(mount.target)
        switch mount.kind {
        case .bind:
            return MountSpec(
                destination: target,
                type: "bind",
                source: mount.source,
                options: [
                    mount.isNonRecursive ? "bind" : "rbind",
                    mount.propagation.isEmpty ? "rprivate" : mount.propagation,
                    mount.readOnly ? "ro" : "rw",
                ]
            )
        case .tmpfs:
            var options = ["nosuid", "noexec", "nodev", "rprivate"]
            if mount.readOnly { options.append("ro") }
            if mount.sizeBytes > 0 { options.append("size=\(mount.sizeBytes)") }
            if mount.mode > 0 { options.append("mode=" + String(mount.mode, radix: 8)) }
            return MountSpec(destination: target, type: "tmpfs", source: "tmpfs", options: options)
        }
    }
}
