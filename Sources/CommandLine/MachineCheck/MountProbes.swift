// SPDX-License-Identifier: Apache-2.0
internal import System

/// File systems, mounted in a mount namespace that ends with the process.
enum MountProbes {
    static func mounts() throws(SystemError) -> Finding {
        try enterNamespace()
        do throws(SystemError) {
            let mount = try memory()
            try Mounts.set(mount.raw, adding: [.readOnly, .noSetID])
            return Finding("mounts", .ok, "by descriptor (fsopen, mount_setattr)")
        } catch {
            return Finding(
                "mounts",
                .missing,
                "\(error)",
                "Petrel mounts by descriptor: use Linux 5.12 or newer."
            )
        }
    }

    /// A real overlay: its writable part on ROOT's disk, below it a layer in memory.
    static func overlay(_ place: String) throws(SystemError) -> Finding {
        try enterNamespace()
        let folder = try temporaryDirectory(in: place)
        defer { try? Files.removeTree(folder) }
        for name in ["upper", "work", "lower", "merged"] {
            try Files.makeDirectory("\(folder)/\(name)", mode: 0o755)
        }
        try Files.replace("\(folder)/lower/file", with: [0x61], mode: 0o644)
        let options = "lowerdir=\(folder)/lower,upperdir=\(folder)/upper,workdir=\(folder)/work"
        do throws(SystemError) {
            try Mounts.mount("petrel-check", folder + "/merged", type: "overlay", data: options)
        } catch {
            return Finding(
                "overlayfs",
                .missing,
                "\(error.name) on \(place)",
                "Containers' root file systems are overlays: use a kernel with overlayfs, and a ROOT on ext4, xfs or btrfs."
            )
        }
        defer { try? Mounts.unmount(folder + "/merged", detach: true) }
        try Files.unlink(folder + "/merged/file")
        let isMarked = try Files.status(of: folder + "/upper/file").isWhiteout
        guard isMarked else {
            return Finding("overlayfs", .missing, "does not mark removed files", "Removed files come back.")
        }
        let stacks = (try? appendLayers(folder)) != nil
        return Finding(
            "overlayfs",
            stacks,
            stacks ? "works on \(place)" : "works on \(place), without lowerdir+ (before Linux 6.5)",
            else: .limited,
            "Images of very many layers do not fit the old mount call's 4096 bytes."
        )
    }

    private static func appendLayers(_ folder: String) throws(SystemError) {
        let context = try Mounts.openFileSystem("overlay")
        for name in ["lower", "upper"] { try Mounts.configure(context.raw, "lowerdir+", "\(folder)/\(name)") }
    }

    static func idmappedMounts(_ place: String) throws(SystemError) -> Finding {
        let name = "idmapped mounts"
        let consequence =
            "Files of images and volumes cannot be shown with other owners (for user namespaces)."
        let gate = try Pipe()
        let ready = try Pipe()
        // Another process makes the user namespace: whoever is in it could not mount any more.
        let child = try Spawn(
            path: "/proc/self/exe",
            arguments: ["__probe", "hold-user-namespace", place],
            descriptors: [0: gate.readEnd.raw, 1: ready.writeEnd.raw]
        ).start()
        defer {
            try? ProcessHandle.signal(child.process.raw, .kill)
            var entries = [Poll.Entry(child.process.raw)]
            try? Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 2_000_000_000)
            try? ProcessHandle.reap(child.process.raw)
        }
        var entries = [Poll.Entry(ready.readEnd.raw)]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 5_000_000_000)
        guard entries[0].found.contains(.readable) else {
            return Finding(name, .limited, "no user namespace can be made", consequence)
        }
        do throws(SystemError) {
            let map = Array("0 100000 65536\n".utf8)
            for file in ["uid_map", "gid_map"] {
                let map_ = try Files.open("/proc/\(child.pid)/\(file)", .writeOnly)
                try Files.writeAll(map_.raw, map)
            }
            let namespace = try Files.open("/proc/\(child.pid)/ns/user", .readOnly)
            try enterNamespace()
            let mount = try Mounts.clone(place, recursive: false)
            try Mounts.mapOwners(mount.raw, by: namespace.raw)
            return Finding(name, .ok, "work on \(place)")
        } catch {
            return Finding(name, .limited, "\(error.operation): \(error.name) on \(place)", consequence)
        }
    }

    /// The child of `idmappedMounts`: makes a user namespace and holds it until it is killed.
    package static func holdUserNamespace() throws(SystemError) {
        try Namespaces.unshare(.user)
        try Files.writeAll(1, [0x2e])
        var entries = [Poll.Entry(0)]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 20_000_000_000)
    }

    static func erofs() -> Finding {
        do throws(SystemError) {
            _ = try Mounts.openFileSystem("erofs")
            return Finding("erofs", .ok, "known to the kernel")
        } catch {
            return Finding(
                "erofs",
                .limited,
                error.name,
                "Layers cannot be kept as read-only images with a checksum for each block; directories serve."
            )
        }
    }

    private static func enterNamespace() throws(SystemError) {
        try Namespaces.unshare(.mount)
        try Mounts.setPropagation(.private, at: "/", recursive: true)
    }

    private static func memory() throws(SystemError) -> Descriptor {
        let context = try Mounts.openFileSystem("tmpfs")
        return try Mounts.create(context.raw)
    }

    private static func temporaryDirectory(in place: String) throws(SystemError) -> String {
        let digits = try SystemEnvironment.randomHexadecimal(bytes: 6)
        let folder = "\(place == "/" ? "" : place)/.petrel-check-\(digits)"
        try Files.makeDirectory(folder, mode: 0o700)
        return folder
    }
}
