// SPDX-License-Identifier: Apache-2.0
internal import System

/// The null device, without the host's node: whoever holds a descriptor of that one may change its mode and owner, for
/// the whole machine.
enum NullDevice {
    static func isNull(_ status: FileStatus) -> Bool {
        status.kind == .characterDevice && status.deviceMajor == 1 && status.deviceMinor == 3
    }

    /// Puts the container's own null device in the place of each standard stream that is the host's. The process must
    /// stand in the container's root.
    static func reopenStreams() throws(SystemError) {
        var streams: [Int32] = []
        for number: Int32 in 0...2 where isNull(try Files.status(ofDescriptor: number)) {
            streams.append(number)
        }
        guard !streams.isEmpty else { return }
        let null = try open()
        for number in streams { try DescriptorTable.place(null.raw, at: number) }
    }

    /// The container's; one that belongs to nobody where what it has under that name is none.
    private static func open() throws(SystemError) -> Descriptor {
        if let own = try? openOwn() { return own }
        let files = try makeFiles()
        return try Files.open("null", [.readWrite, .noFollow], at: files.raw)
    }

    private static func openOwn() throws(SystemError) -> Descriptor? {
        let root = try Files.open("/", [.path, .directory])
        // Not blocking on a FIFO that somebody put there.
        let flags: OpenFlags = [.readWrite, .nonBlocking, .noControllingTerminal]
        let null = try ContainerRoot(directory: root.raw).open("/dev/null", flags)
        guard isNull(try Files.status(ofDescriptor: null.raw)) else { return nil }
        try Files.setNonBlocking(null.raw, false)
        return null
    }

    /// A detached read-only mount of a null device, to cover files with.
    static func makeCover() throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            let files = try makeFiles()
            return try copy(files)
        } catch {
            guard error.code == 1 else { throw error }
            // Not allowed to make nodes: the host's own, whose mode and owner cannot be changed through this mount.
            let mount = try Mounts.clone("/dev/null", recursive: false)
            try Mounts.set(mount.raw, adding: .readOnly)
            return mount
        }
    }

    private static func copy(_ files: borrowing Descriptor) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try Mounts.clone("null", at: files.raw, recursive: false)
        } catch {
            guard error.code == 22 else { throw error }
        }
        // Kernels before 6.15 copy only what is attached: for a moment, over a directory that every machine has, in
        // this process's own mount namespace.
        let place = "/proc"
        let target = try Files.open(place, [.path, .directory])
        try Mounts.attach(files.raw, at: target.raw)
        let node = try Mounts.clone("null", at: files.raw, recursive: false)
        try Mounts.unmount(place, detach: true)
        return node
    }

    /// A detached read-only file system with nothing but the node `null`.
    private static func makeFiles() throws(SystemError) -> Descriptor {
        let context = try Mounts.openFileSystem("tmpfs")
        try Mounts.configure(context.raw, "nr_inodes", "2")
        let files = try Mounts.create(context.raw, [.noSetID, .noExecution])
        try Files.makeDevice("null", block: false, permissions: 0o666, major: 1, minor: 3, at: files.raw)
        try Mounts.set(files.raw, adding: .readOnly)
        return files
    }
}
