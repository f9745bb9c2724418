// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Properties of a mount (not of its file system), as fsmount(2) and mount_setattr(2) spell them.
package struct MountAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountAttributes(rawValue: 0x01)
    package static let noSetID = MountAttributes(rawValue: 0x02)
    package static let noDevices = MountAttributes(rawValue: 0x04)
    package static let noExecution = MountAttributes(rawValue: 0x08)
    /// Access times: relative (0), none or strict, a field of three bits.
    package static let noAccessTimes = MountAttributes(rawValue: 0x10)
    package static let strictAccessTimes = MountAttributes(rawValue: 0x20)
    package static let accessTimes = MountAttributes(rawValue: 0x70)
    package static let noDirectoryAccessTimes = MountAttributes(rawValue: 0x80)
    package static let noSymbolicLinks = MountAttributes(rawValue: 0x20_0000)
}

/// How mounts below a mount travel between mount namespaces, as mount(2) spells it.
package enum MountPropagation: UInt64, Hashable, Sendable {
    case unbindable = 0x2_0000
    case `private` = 0x4_0000
    case slave = 0x8_0000
    case shared = 0x10_0000
}

/// Mounts by descriptor: made detached, configured, then attached at a place that is a descriptor too.
///
/// No call here resolves a path of a container; the caller opens those. The numbers are the same on every architecture.
package enum Mounts {
    /// fsopen(2): the context of a file system to be made.
    package static func openFileSystem(_ type: String) throws(SystemError) -> Descriptor {
        try descriptor("fsopen", type, type.withCString { petrel_syscall(430, word($0), 1, 0, 0, 0, 0) })
    }

    /// fsconfig(2): one option with a value (at most 255 bytes), or a flag without.
    package static func configure(_ context: Int32, _ key: String, _ value: String? = nil) throws(SystemError)
    {
        let result = key.withCString { key in
            guard let value else { return petrel_syscall(431, Int(context), 0, word(key), 0, 0, 0) }
            return value.withCString { petrel_syscall(431, Int(context), 1, word(key), word($0), 0, 0) }
        }
        let code = errno
        guard result == 0 else { throw SystemError("fsconfig", path: key, code: code) }
    }

    /// fsconfig(2) with a descriptor as value.
    package static func configure(_ context: Int32, _ key: String, descriptor: Int32) throws(SystemError) {
        let result = key.withCString { petrel_syscall(431, Int(context), 5, word($0), 0, Int(descriptor), 0) }
        let code = errno
        guard result == 0 else { throw SystemError("fsconfig", path: key, code: code) }
    }

    /// fsconfig(2) CMD_CREATE and fsmount(2): the file system, mounted nowhere yet.
    package static func create(_ context: Int32, _ attributes: MountAttributes = []) throws(SystemError)
        -> Descriptor
    {
        guard petrel_syscall(431, Int(context), 6, 0, 0, 0, 0) == 0 else {
            throw SystemError("fsconfig(CMD_CREATE)", code: errno)
        }
        return try descriptor(
            "fsmount",
            "",
            petrel_syscall(432, Int(context), 1, Int(attributes.rawValue), 0, 0, 0)
        )
    }

    /// open_tree(2) OPEN_TREE_CLONE: a detached copy of what is mounted at `path`, with what is mounted below it if
    /// `recursive`. With an empty path: of the directory or file that the descriptor is.
    package static func clone(
        _ path: String,
        at directory: Int32 = Files.currentDirectory,
        recursive: Bool
    ) throws(SystemError) -> Descriptor {
        let flags = 1 | Int(O_CLOEXEC) | (path.isEmpty ? 0x1000 : 0) | (recursive ? 0x8000 : 0)
        let raw = path.withCString { petrel_syscall(428, Int(directory), word($0), flags, 0, 0, 0) }
        return try descriptor("open_tree", path, raw)
    }

    /// A detached read-only copy of one file's mount. Executed by its descriptor, it gives the program a `/proc/self/exe`
    /// that nobody can open for writing, in whatever container the process may be seen.
    package static func readOnlyClone(ofFile path: String) throws(SystemError) -> Descriptor {
        let mount = try clone(path, recursive: false)
        try set(mount.raw, adding: [.readOnly])
        return mount
    }

    /// mount_setattr(2) on a mount by descriptor.
    package static func set(
        _ mount: Int32,
        adding: MountAttributes = [],
        removing: MountAttributes = [],
        propagation: MountPropagation? = nil,
        recursive: Bool = false
    ) throws(SystemError) {
        // struct mount_attr: attr_set, attr_clr, propagation, userns_fd, u64 each.
        var record = [adding.rawValue, removing.rawValue, propagation?.rawValue ?? 0, 0]
        // The access-time field is replaced as a whole.
        if !adding.isDisjoint(with: .accessTimes) { record[1] |= MountAttributes.accessTimes.rawValue }
        let result = record.withUnsafeBytes { record in
            petrel_syscall(
                442,
                Int(mount),
                word(emptyPath),
                recursive ? 0x9000 : 0x1000,
                word(record.baseAddress),
                32,
                0
            )
        }
        let code = errno
        guard result == 0 else { throw SystemError("mount_setattr", code: code) }
    }

    /// move_mount(2): attaches a detached mount at the directory or file that `target` is.
    package static func attach(_ mount: Int32, at target: Int32) throws(SystemError) {
        // MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
        let result = petrel_syscall(429, Int(mount), word(emptyPath), Int(target), word(emptyPath), 0x44, 0)
        guard result == 0 else { throw SystemError("move_mount", code: errno) }
    }

    /// The same at a name in a directory; a link there is not followed.
    /// - Throws: as move_mount(2).
    package static func attach(
        _ mount: Int32,
        at name: String,
        in directory: Int32
    ) throws(SystemError) {
        let result = name.withCString { name in
            // MOVE_MOUNT_F_EMPTY_PATH
            petrel_syscall(429, Int(mount), word(emptyPath), Int(directory), word(name), 0x4, 0)
        }
        guard result == 0 else { throw SystemError("move_mount", path: name, code: errno) }
    }

    /// mount(2), whole: for kernels whose file system does not know the newer calls' options.
    package static func mount(
        _ source: String,
        _ target: String,
        type: String,
        flags: UInt64 = 0,
        data: String
    ) throws(SystemError) {
        guard Glibc.mount(source, target, type, UInt(flags), data) == 0 else {
            throw SystemError("mount", path: target, code: errno)
        }
    }

    /// Sets the propagation of the mount at `path`.
    package static func setPropagation(
        _ propagation: MountPropagation,
        at path: String,
        recursive: Bool
    ) throws(SystemError) {
        let flags = UInt(propagation.rawValue) | (recursive ? 0x4000 : 0)
        guard Glibc.mount("none", path, nil, flags, nil) == 0 else {
            throw SystemError("mount", path: path, code: errno)
        }
    }

    /// umount2(2); `detach` takes it away at once, with what is below, and lets users of it finish.
    package static func unmount(_ path: String, detach: Bool) throws(SystemError) {
        guard umount2(path, detach ? 2 : 0) == 0 else {
            throw SystemError("umount2", path: path, code: errno)
        }
    }

    /// pivot_root(2) from and to the current directory: the new root with the old one stacked upon it.
    package static func pivotToCurrentDirectory() throws(SystemError) {
        let result = ".".withCString { petrel_syscall(Int(SYS_pivot_root), word($0), word($0), 0, 0, 0, 0) }
        let code = errno
        guard result == 0 else { throw SystemError("pivot_root", code: code) }
    }

    private static func descriptor(_ call: String, _ path: String, _ raw: Int) throws(SystemError)
        -> Descriptor
    {
        let code = errno
        guard raw >= 0 else { throw SystemError(call, path: path, code: code) }
        return Descriptor(adopting: Int32(raw))
    }

    private static func word(_ pointer: UnsafeRawPointer?) -> Int { Int(bitPattern: pointer) }

    private static var emptyPath: UnsafePointer<CChar> {
        UnsafeRawPointer(StaticString("").utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
