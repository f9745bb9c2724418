// SPDX-License-Identifier: Apache-2.0
internal import FileTrees
internal import System
internal import Tar

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
/// `.wh..wh..opq` the attribute `trusted.overlay.opaque`; everything else is `TreeUnpacker`'s.
final class Unpacker {
    private static let whiteoutPrefix: [CChar] = [0x2e, 0x77, 0x68, 0x2e]
    private static let opaqueName: [CChar] = ".wh..wh..opq".utf8CString.map { $0 }

    private let budget: UnpackBudget
    private let tree: TreeUnpacker
    private(set) var entryCount = 0
    private(set) var rootAttributes: RootAttributes?
    var contentBytes: Int64 { tree.contentBytes }

    /// - Parameter root: An empty directory; the caller keeps it open. The process must be root.
    init(root: Int32, budget: UnpackBudget) {
        self.budget = budget
        var rules = UnpackRules.layer
        rules.depth = budget.limits.depth
        rules.nameBytes = budget.limits.nameBytes
        tree = TreeUnpacker(root: root, rules: rules)
    }

    /// Makes `entry`; the content of a regular file is taken from `reader`.
    func unpack(_ entry: TarEntry, from reader: TarReader) throws(ArchiveError) {
        entryCount += 1
        try budget.countEntry()
        let path = try tree.place(of: entry)
        guard !path.isRoot else { return try unpackRoot(entry) }
        if path.name.starts(with: Self.whiteoutPrefix) { return try whiteOut(entry, path) }
        try tree.make(entry, at: path, from: reader)
    }

    /// Sets the times of directories.
    func finish() throws(ArchiveError) { try tree.finish() }

    private func unpackRoot(_ entry: TarEntry) throws(ArchiveError) {
        guard entry.kind == .directory else { throw .refused(entry: entry.displayName, .rootIsNoDirectory) }
        if entry.permissions & 0o2000 != 0 { tree.noteSetGroupDirectory() }
        rootAttributes = RootAttributes(permissions: entry.permissions, user: entry.user, group: entry.group)
        do throws(SystemError) {
            try Files.changeOwner(ofDescriptor: tree.root, user: entry.user, group: entry.group)
            try Files.changeMode(ofDescriptor: tree.root, to: entry.permissions)
            for (name, value) in entry.attributes where TreeUnpacker.isKept(name) {
                try Files.setAttribute(name, to: value, ofDescriptor: tree.root)
            }
        } catch {
            throw .system(entry: entry.displayName, error)
        }
    }

    private func whiteOut(_ entry: TarEntry, _ path: EntryPath) throws(ArchiveError) {
        do throws(SystemError) {
            let parent = try tree.parent(of: path)
            if Array(path.name) == Self.opaqueName {
                let directory = try parent.readable()
                return try Files.setAttribute(
                    TreeUnpacker.opaqueAttribute,
                    to: [0x79],
                    ofDescriptor: directory.raw
                )
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
                        TreeUnpacker.opaqueAttribute,
                        to: [0x79],
                        of: Array(hidden),
                        at: parent.raw
                    )
                }
            }
        } catch {
            if error.operation == "whiteout" { throw .refused(entry: entry.displayName, .badWhiteout) }
            throw tree.translate(error, entry)
        }
    }
}
