// SPDX-License-Identifier: Apache-2.0
package import System
package import Tar

/// Unpacks an archive's entries into a tree of files.
///
/// Owns nothing but the descriptor of the last parent. Every name is resolved beneath the root by the kernel
/// (`openat2`, `RESOLVE_IN_ROOT`), the last component never through a link: new files are made with `O_EXCL`, what
/// stands in the way is removed first. In a layer, what is already so is not set again (owner and mode of most files).
/// Blocking; used by one thread. Entries later in the stream replace earlier ones; times of directories are set by
/// `finish`, after all that is written into them.
package final class TreeUnpacker {
    /// The process's file creation mask, which `Threads.setFileCreationMask` has set.
    static let creationMask: UInt32 = 0o022
    /// What overlayfs knows an opaque directory by.
    package static let opaqueAttribute = "trusted.overlay.opaque"

    package let root: Int32
    let rules: UnpackRules
    package private(set) var contentBytes: Int64 = 0
    /// Entries that the rules let be passed over.
    package private(set) var skippedCount = 0
    let parents: ParentDirectories
    private let prefix: [CChar]
    private var directoryTimes: [[CChar]: (path: EntryPath, seconds: Int64, nanos: Int64)] = [:]
    private var directoryBytes = 0
    /// What one remembered directory takes besides its path.
    private static let directoryOverhead = 128

    /// - Parameters:
    ///   - root: Nothing outside of it is reached, whatever names and links say; the caller keeps it open.
    ///   - prefix: The directory beneath the root that names begin in: components joined by `/`, links in it are followed
    ///     within the root.
    package init(root: Int32, prefix: [UInt8] = [], rules: UnpackRules) {
        self.root = root
        self.prefix = prefix.map { CChar(bitPattern: $0) }
        self.rules = rules
        parents = ParentDirectories(root: root, rules: rules)
    }

    /// Makes `entry` at its own place; the content of a regular file is taken from `reader`. An entry for the place where
    /// names begin is passed over: that directory is there already.
    package func unpack(_ entry: TarEntry, from reader: TarReader) throws(ArchiveError) {
        let path = try place(of: entry)
        guard !path.isRoot else {
            guard entry.kind == .directory else {
                throw .refused(entry: entry.displayName, .rootIsNoDirectory)
            }
            return
        }
        try make(entry, at: path, from: reader)
    }

    /// Where an entry is to be.
    /// - Throws: `.refused`.
    package func place(of entry: TarEntry) throws(ArchiveError) -> EntryPath {
        guard !entry.name.isEmpty else { throw .refused(entry: "", .emptyName) }
        guard let path = EntryPath(entry.name, below: prefix) else {
            throw .refused(entry: entry.displayName, .leavesRoot)
        }
        guard path.depth <= rules.depth else {
            throw .refused(entry: entry.displayName, .tooDeep(limit: rules.depth))
        }
        return path
    }

    /// The open directory that holds a place, made when it is missing.
    package func parent(of path: EntryPath) throws(SystemError) -> ParentDirectory {
        try parents.parent(of: path)
    }

    /// A directory like that of an entry for the root itself may hand down its group.
    package func noteSetGroupDirectory() { parents.noteSetGroupDirectory() }

    package func make(_ entry: TarEntry, at path: EntryPath, from reader: TarReader) throws(ArchiveError) {
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
                guard rules.makesDevices else {
                    skippedCount += 1
                    return
                }
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

    private func remember(_ entry: TarEntry, _ path: EntryPath) throws(ArchiveError) {
        let time = (path, entry.modifiedSeconds, entry.modifiedNanos)
        guard directoryTimes.updateValue(time, forKey: path.bytes) == nil else { return }
        directoryBytes += path.bytes.count + Self.directoryOverhead
        guard directoryBytes <= rules.nameBytes else {
            throw .limit(.nameBytes(rules.nameBytes))
        }
    }

    /// Sets the times of directories, in any order: setting one's changes no other's.
    package func finish() throws(ArchiveError) {
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

    private func makeFile(_ entry: TarEntry, _ path: EntryPath, _ reader: TarReader) throws(ArchiveError) {
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
            if let owner = owner(of: entry, inheritsGroup) {
                try Files.changeOwner(ofDescriptor: file.raw, user: owner.user, group: owner.group)
            }
            if needsMode(entry, inheritsGroup: false) {
                try Files.changeMode(ofDescriptor: file.raw, to: entry.permissions)
            }
            try setAttributes(entry, ofDescriptor: file.raw)
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
                try changeDirectory(name, parent, owner(of: entry, true), entry.permissions)
            } else {
                let mode = needsMode(entry, inheritsGroup: parent.hasSetGroup) ? entry.permissions : nil
                try changeDirectory(name, parent, owner(of: entry, parent.hasSetGroup), mode)
            }
        }
        guard isOpaque == true || entry.attributes.contains(where: { Self.isKept($0.name) }) else { return }
        let directory = try path.withName { name throws(SystemError) in
            try Files.open(
                name,
                [.readOnly, .directory, .noFollow],
                at: parent.raw,
                resolving: .noSymbolicLinks
            )
        }
        if isOpaque == true {
            try Files.setAttribute(Self.opaqueAttribute, to: [0x79], ofDescriptor: directory.raw)
        }
        try setAttributes(entry, ofDescriptor: directory.raw)
    }

    private func makeHardLink(_ entry: TarEntry, _ path: EntryPath) throws(ArchiveError) {
        let target = String(decoding: entry.linkTarget, as: UTF8.self)
        guard let targetPath = EntryPath(entry.linkTarget, below: prefix), !targetPath.isRoot else {
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

    // MARK: Steps

    /// Attributes of what is neither file nor directory, and was just made.
    private func setAttributes(
        _ entry: TarEntry,
        _ path: EntryPath,
        _ parent: ParentDirectory,
        mode: Bool
    ) throws(SystemError) {
        try path.withName { name throws(SystemError) in
            if let owner = owner(of: entry, parent.hasSetGroup) {
                try Files.changeOwner(of: name, user: owner.user, group: owner.group, at: parent.raw)
            }
            // By name, which would follow a link that somebody else puts there: only where nobody else can. Copies are made
            // with a creation mask of 0.
            if mode, rules.isLayer, needsMode(entry, inheritsGroup: false) {
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
        try path.withName { name throws(SystemError) in
            if rules.keepsKinds, try Files.status(of: name, at: parent.raw).kind == .directory {
                throw SystemError(Self.replacesDirectory, path: path.display, code: 21)
            }
            try Files.removeTree(name, at: parent.raw)
        }
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
            if rules.keepsKinds { throw SystemError(Self.replacedByDirectory, path: path.display, code: 20) }
            try Files.removeFile(name, at: parent.raw)
            try Files.makeDirectory(name, permissions: permissions, at: parent.raw)
            return rules.isLayer && status.isWhiteout ? true : nil
        }
    }

    private static let replacesDirectory = "replace a directory"
    private static let replacedByDirectory = "replace by a directory"

    /// Whom to give an entry to; nil: it has its owner already.
    private func owner(of entry: TarEntry, _ inheritsGroup: Bool) -> (user: UInt32, group: UInt32)? {
        switch rules.ownership {
        case .process: return nil
        case .given(let user, let group): return (user, group)
        case .archived:
            let isSet = rules.isLayer && entry.user == 0 && entry.group == 0 && !inheritsGroup
            return isSet ? nil : (entry.user, entry.group)
        }
    }

    /// Whether what was just made with an entry's permissions may have others; outside of layers there may be inherited
    /// access lists, and other masks.
    private func needsMode(_ entry: TarEntry, inheritsGroup: Bool) -> Bool {
        !rules.isLayer || inheritsGroup || entry.permissions & (0o7000 | Self.creationMask) != 0
    }

    private func changeDirectory(
        _ name: UnsafePointer<CChar>,
        _ parent: ParentDirectory,
        _ owner: (user: UInt32, group: UInt32)?,
        _ mode: UInt32?
    ) throws(SystemError) {
        guard rules.isLayer else {
            // Others may be at work in the tree: a link that takes the directory's place is not to be followed.
            guard owner != nil || mode != nil else { return }
            let directory = try Files.open(
                name,
                [.readOnly, .directory, .noFollow],
                at: parent.raw,
                resolving: .noSymbolicLinks
            )
            if let owner {
                try Files.changeOwner(ofDescriptor: directory.raw, user: owner.user, group: owner.group)
            }
            if let mode { try Files.changeMode(ofDescriptor: directory.raw, to: mode) }
            return
        }
        if let owner { try Files.changeOwner(of: name, user: owner.user, group: owner.group, at: parent.raw) }
        if let mode { try Files.changeMode(of: name, to: mode, at: parent.raw) }
    }

    /// Copied files go without what their new place does not take.
    private func setAttributes(_ entry: TarEntry, ofDescriptor file: Int32) throws(SystemError) {
        for (name, value) in entry.attributes where Self.isKept(name) {
            do throws(SystemError) {
                try Files.setAttribute(name, to: value, ofDescriptor: file)
            } catch {
                // EPERM, ENOTSUP
                guard !rules.isLayer, error.code == 1 || error.code == 95 else { throw error }
            }
        }
    }

    /// Attributes that are data, and file capabilities.
    package static func isKept(_ attribute: String) -> Bool {
        attribute == "security.capability"
            || attribute.hasPrefix("user.") && !attribute.hasPrefix("user.overlay.")
    }

    package func translate(_ error: SystemError, _ entry: TarEntry) -> ArchiveError {
        switch (error.operation, error.code) {
        case (Self.replacesDirectory, _): .refused(entry: entry.displayName, .replacesDirectory)
        case (Self.replacedByDirectory, _): .refused(entry: entry.displayName, .replacedByDirectory)
        case (_, 20), (_, 40): .refused(entry: entry.displayName, .parentIsNoDirectory)
        default: .system(entry: entry.displayName, error)
        }
    }
}
