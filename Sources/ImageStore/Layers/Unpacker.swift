// SPDX-License-Identifier: Apache-2.0
internal import System

/// The attributes of a layer's root, where the layer has an entry for it.
package struct RootAttributes: Hashable, Sendable {
    package let permissions: UInt32
    package let user: UInt32
    package let group: UInt32

    package init(permissions: UInt32, user: UInt32, group: UInt32) {
        self.permissions = permissions
        self.user = user
        self.group = group
    }
}

/// Unpacks one layer into a directory, as overlayfs wants lower directories: `.wh.NAME` becomes a character device 0/0,
/// `.wh..wh..opq` the attribute `trusted.overlay.opaque`.
///
/// Owns nothing but the descriptor of the last parent. Every name is resolved beneath the root by the kernel
/// (`openat2`, `RESOLVE_IN_ROOT`), the last component never through a link: new files are made with `O_EXCL`, what
/// stands in the way is removed first. What is already so is not set again (owner and mode of most files).
/// Blocking; used by one thread. Entries later in the stream replace earlier ones; times of directories are set by
/// `finish`, after all that is written into them.
final class Unpacker {
    /// The process's file creation mask, which `Threads.setFileCreationMask` has set.
    static let creationMask: UInt32 = 0o022
    private static let whiteoutPrefix: [CChar] = [0x2e, 0x77, 0x68, 0x2e]
    private static let opaqueName: [CChar] = ".wh..wh..opq".utf8CString.map { $0 }
    static let opaqueAttribute = "trusted.overlay.opaque"

    let root: Int32
    let budget: UnpackBudget
    private(set) var entryCount = 0
    private(set) var contentBytes: Int64 = 0
    private(set) var rootAttributes: RootAttributes?
    private let parents: ParentDirectories
    private var directoryTimes: [[CChar]: (path: EntryPath, seconds: Int64, nanos: Int64)] = [:]
    private var directoryBytes = 0
    /// What one remembered directory takes besides its path.
    private static let directoryOverhead = 128

    /// - Parameter root: An empty directory; the caller keeps it open. The process must be root.
    init(root: Int32, budget: UnpackBudget) {
        self.root = root
        self.budget = budget
        parents = ParentDirectories(root: root)
    }

    /// Makes `entry`; the content of a regular file is taken from `reader`.
    func unpack(_ entry: TarEntry, from reader: TarReader) throws(LayerError) {
        entryCount += 1
        try budget.countEntry()
        let path = try checkedPath(of: entry)
        guard !path.isRoot else { return try unpackRoot(entry) }
        if path.name.starts(with: Self.whiteoutPrefix) { return try whiteOut(entry, path) }
        do throws(SystemError) {
            let parent = try parents.parent(of: path)
            switch entry.kind {
            case .regular: break
            case .directory: try makeDirectory(entry, path, parent)
            case .hardLink: break
            case .symbolicLink:
                try replacing(path, parent) { name throws(SystemError) in
                    try (entry.linkTarget.map { CChar(bitPattern: $0) } + [0])
                        .withUnsafeBufferPointer { target throws(SystemError) in
                            guard let base = target.baseAddress else { return }
                            try Files.makeSymbolicLink(name, to: base, at: parent.raw)
                        }
                }
                return try setAttributes(entry, path, parent, mode: false)
            case .characterDevice, .blockDevice:
                try replacing(path, parent) { name throws(SystemError) in
                    try Files.makeDevice(
                        name,
                        block: entry.kind == .blockDevice,
                        permissions: entry.permissions,
                        major: entry.deviceMajor,
                        minor: entry.deviceMinor,
                        at: parent.raw
                    )
                }
                return try setAttributes(entry, path, parent, mode: true)
            case .fifo:
                try replacing(path, parent) { name throws(SystemError) in
                    try Files.makeFIFO(name, permissions: entry.permissions, at: parent.raw)
                }
                return try setAttributes(entry, path, parent, mode: true)
            }
        } catch {
            throw translate(error, entry)
        }
        switch entry.kind {
        case .directory: try remember(entry, path)
        case .hardLink: try makeHardLink(entry, path)
        default: try makeFile(entry, path, reader)
        }
    }

    private func checkedPath(of entry: TarEntry) throws(LayerError) -> EntryPath {
        guard !entry.name.isEmpty else { throw .refused(entry: "", .emptyName) }
        guard let path = EntryPath(entry.name) else { throw .refused(entry: entry.displayName, .leavesRoot) }
        guard path.depth <= budget.limits.depth else {
            throw .refused(entry: entry.displayName, .tooDeep(limit: budget.limits.depth))
        }
        return path
    }

    private func remember(_ entry: TarEntry, _ path: EntryPath) throws(LayerError) {
        let time = (path, entry.modifiedSeconds, entry.modifiedNanos)
        guard directoryTimes.updateValue(time, forKey: path.bytes) == nil else { return }
        directoryBytes += path.bytes.count + Self.directoryOverhead
        guard directoryBytes <= budget.limits.nameBytes else {
            throw .limit(.nameBytes(budget.limits.nameBytes))
        }
    }

    /// Sets the times of directories, in any order: setting one's changes no other's.
    func finish() throws(LayerError) {
        for (path, seconds, nanos) in directoryTimes.values {
            do throws(SystemError) {
                let parent = try parents.open(path.parent)
                try path.withName { name throws(SystemError) in
                    guard try Files.status(of: name, at: parent.raw).kind == .directory else { return }
                    try Files.setTimes(of: name, seconds: seconds, nanos: nanos, at: parent.raw)
                }
            } catch {
                // Replaced by a later entry: then there is nothing to set.
                guard [2, 20, 40].contains(error.code) else { throw .system(entry: path.display, error) }
            }
        }
        directoryTimes = [:]
    }

    // MARK: Kinds

    private func unpackRoot(_ entry: TarEntry) throws(LayerError) {
        guard entry.kind == .directory else { throw .refused(entry: entry.displayName, .rootIsNoDirectory) }
        if entry.permissions & 0o2000 != 0 { parents.noteSetGroupDirectory() }
        rootAttributes = RootAttributes(permissions: entry.permissions, user: entry.user, group: entry.group)
        do throws(SystemError) {
            try Files.changeOwner(ofDescriptor: root, user: entry.user, group: entry.group)
            try Files.changeMode(ofDescriptor: root, to: entry.permissions)
            for (name, value) in entry.attributes where Self.isKept(name) {
                try Files.setAttribute(name, to: value, ofDescriptor: root)
            }
        } catch {
            throw .system(entry: entry.displayName, error)
        }
    }

    private func makeFile(_ entry: TarEntry, _ path: EntryPath, _ reader: TarReader) throws(LayerError) {
        let file: Descriptor
        let inheritsGroup: Bool
        do throws(SystemError) {
            let parent = try parents.parent(of: path)
            inheritsGroup = parent.hasSetGroup
            file = try replacing(path, parent) { name throws(SystemError) in
                try Files.open(
                    name,
                    [.writeOnly, .create, .exclusive, .noFollow],
                    mode: entry.permissions & 0o777,
                    at: parent.raw,
                    resolving: []
                )
            }
        } catch {
            throw translate(error, entry)
        }
        while true {
            let chunk = try reader.content()
            if chunk.isEmpty { break }
            contentBytes += Int64(chunk.count)
            do throws(SystemError) {
                try Files.writeAll(file.raw, chunk)
            } catch {
                throw .system(entry: entry.displayName, error)
            }
        }
        do throws(SystemError) {
            // The order matters: a change of owner clears set-id bits and capabilities.
            if entry.user != 0 || entry.group != 0 || inheritsGroup {
                try Files.changeOwner(ofDescriptor: file.raw, user: entry.user, group: entry.group)
            }
            if entry.permissions & (0o7000 | Self.creationMask) != 0 {
                try Files.changeMode(ofDescriptor: file.raw, to: entry.permissions)
            }
            for (name, value) in entry.attributes where Self.isKept(name) {
                try Files.setAttribute(name, to: value, ofDescriptor: file.raw)
            }
            try Files.setTimes(
                ofDescriptor: file.raw,
                seconds: entry.modifiedSeconds,
                nanos: entry.modifiedNanos
            )
            try file.close()
        } catch {
            throw .system(entry: entry.displayName, error)
        }
    }

    private func makeDirectory(_ entry: TarEntry, _ path: EntryPath, _ parent: ParentDirectory)
        throws(SystemError)
    {
        let isOpaque = try makeOrKeepDirectory(path, parent, permissions: entry.permissions & 0o777)
        if entry.permissions & 0o2000 != 0 { parents.noteSetGroupDirectory() }
        try path.withName { name throws(SystemError) in
            if isOpaque != nil {
                // Kept, or in place of a whiteout: it may have other attributes than those asked for.
                try Files.changeOwner(of: name, user: entry.user, group: entry.group, at: parent.raw)
                try Files.changeMode(of: name, to: entry.permissions, at: parent.raw)
            } else {
                if entry.user != 0 || entry.group != 0 || parent.hasSetGroup {
                    try Files.changeOwner(of: name, user: entry.user, group: entry.group, at: parent.raw)
                }
                if entry.permissions & (0o7000 | Self.creationMask) != 0 || parent.hasSetGroup {
                    try Files.changeMode(of: name, to: entry.permissions, at: parent.raw)
                }
            }
        }
        if isOpaque == true {
            try Files.setAttribute(Self.opaqueAttribute, to: [0x79], of: Array(path.name), at: parent.raw)
        }
        for (name, value) in entry.attributes where Self.isKept(name) {
            try Files.setAttribute(name, to: value, of: Array(path.name), at: parent.raw)
        }
    }

    private func makeHardLink(_ entry: TarEntry, _ path: EntryPath) throws(LayerError) {
        let target = String(decoding: entry.linkTarget, as: UTF8.self)
        guard let targetPath = EntryPath(entry.linkTarget), !targetPath.isRoot else {
            throw .refused(entry: entry.displayName, .linkLeavesRoot(target: target))
        }
        do throws(SystemError) {
            let targetParent = try parents.open(targetPath.parent)
            let status = try targetPath.withName { name throws(SystemError) in
                try Files.status(of: name, at: targetParent.raw)
            }
            let parent = try parents.parent(of: path)
            let present = try? path.withName { name throws(SystemError) in
                try Files.status(of: name, at: parent.raw)
            }
            if let present, (present.device, present.inode) == (status.device, status.inode) { return }
            try replacing(path, parent) { name throws(SystemError) in
                try targetPath.withName { targetName throws(SystemError) in
                    try Files.makeHardLink(to: targetName, at: targetParent.raw, named: name, at: parent.raw)
                }
            }
        } catch {
            if error.code == 2 || error.code == 20 {
                throw .refused(entry: entry.displayName, .linkTargetMissing(target: target))
            }
            throw translate(error, entry)
        }
    }

    private func whiteOut(_ entry: TarEntry, _ path: EntryPath) throws(LayerError) {
        do throws(SystemError) {
            let parent = try parents.parent(of: path)
            if Array(path.name) == Self.opaqueName {
                let directory = try parent.readable()
                return try Files.setAttribute(Self.opaqueAttribute, to: [0x79], ofDescriptor: directory.raw)
            }
            let hidden = path.name.dropFirst(Self.whiteoutPrefix.count)
            // Names that begin twice with the prefix are bookkeeping of aufs.
            if hidden.starts(with: Self.whiteoutPrefix) { return }
            if hidden.count == 1 || Array(hidden) == [0x2e, 0] || Array(hidden) == [0x2e, 0x2e, 0] {
                throw SystemError("whiteout", code: 22)
            }
            let place = EntryPath(path, renamed: hidden)
            do throws(SystemError) {
                try place.withName { name throws(SystemError) in
                    try Files.makeDevice(
                        name,
                        block: false,
                        permissions: 0,
                        major: 0,
                        minor: 0,
                        at: parent.raw
                    )
                }
            } catch {
                guard error.code == 17 else { throw error }
                // A whiteout hides only what lies below this layer: a directory of this layer becomes opaque, anything
                // else hides it already.
                let kind = try place.withName { name throws(SystemError) in
                    try Files.status(of: name, at: parent.raw).kind
                }
                if kind == .directory {
                    try Files.setAttribute(
                        Self.opaqueAttribute,
                        to: [0x79],
                        of: Array(hidden),
                        at: parent.raw
                    )
                }
            }
        } catch {
            if error.operation == "whiteout" { throw .refused(entry: entry.displayName, .badWhiteout) }
            throw translate(error, entry)
        }
    }

    // MARK: Steps

    /// Attributes of what is neither file nor directory, and was just made.
    private func setAttributes(
        _ entry: TarEntry,
        _ path: EntryPath,
        _ parent: ParentDirectory,
        mode: Bool
    ) throws(SystemError) {
        try path.withName { name throws(SystemError) in
            if entry.user != 0 || entry.group != 0 || parent.hasSetGroup {
                try Files.changeOwner(of: name, user: entry.user, group: entry.group, at: parent.raw)
            }
            if mode, entry.permissions & (0o7000 | Self.creationMask) != 0 {
                try Files.changeMode(of: name, to: entry.permissions, at: parent.raw)
            }
            try Files.setTimes(
                of: name,
                seconds: entry.modifiedSeconds,
                nanos: entry.modifiedNanos,
                at: parent.raw
            )
        }
    }

    /// Runs `make`; when something stands in the way, removes it and runs it once more.
    private func replacing<R: ~Copyable>(
        _ path: EntryPath,
        _ parent: ParentDirectory,
        _ make: (UnsafePointer<CChar>) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        do throws(SystemError) {
            return try path.withName(make)
        } catch {
            guard error.code == 17 else { throw error }
        }
        // Whatever is removed may have been a parent of something, or a link on the way to it.
        parents.forget()
        try path.withName { name throws(SystemError) in try Files.removeTree(name, at: parent.raw) }
        return try path.withName(make)
    }

    /// Nil: made. False: was there already. True: made in place of a whiteout, so it hides what lies below.
    private func makeOrKeepDirectory(
        _ path: EntryPath,
        _ parent: ParentDirectory,
        permissions: UInt32
    ) throws(SystemError) -> Bool? {
        try path.withName { name throws(SystemError) in
            do throws(SystemError) {
                try Files.makeDirectory(name, permissions: permissions, at: parent.raw)
                return nil
            } catch {
                guard error.code == 17 else { throw error }
            }
            let status = try Files.status(of: name, at: parent.raw)
            if status.kind == .directory { return false }
            try Files.removeFile(name, at: parent.raw)
            try Files.makeDirectory(name, permissions: permissions, at: parent.raw)
            return status.isWhiteout ? true : nil
        }
    }

    private static func isKept(_ attribute: String) -> Bool {
        attribute == "security.capability"
            || attribute.hasPrefix("user.") && !attribute.hasPrefix("user.overlay.")
    }

    private func translate(_ error: SystemError, _ entry: TarEntry) -> LayerError {
        switch error.code {
        case 20, 40: .refused(entry: entry.displayName, .parentIsNoDirectory)
        default: .system(entry: entry.displayName, error)
        }
    }
}
