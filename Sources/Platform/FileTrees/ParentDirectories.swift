// SPDX-License-Identifier: Apache-2.0
package import System

/// A directory that entries are made in, open as a place only (`O_PATH`).
package final class ParentDirectory {
    private let descriptor: Descriptor
    /// What is made in it gets its group instead of the process's.
    let hasSetGroup: Bool

    init(_ descriptor: consuming Descriptor, hasSetGroup: Bool) {
        self.descriptor = descriptor
        self.hasSetGroup = hasSetGroup
    }

    package var raw: Int32 { descriptor.raw }

    /// The same directory, open for calls that refuse a mere place.
    package func readable() throws(SystemError) -> Descriptor {
        try Files.open(".", [.readOnly, .directory], at: raw)
    }
}

/// Finds and makes the directories above entries, always beneath the root; the last one found stays open, since the next
/// entry mostly lies beside the last.
final class ParentDirectories {
    private let root: Int32
    private let rules: UnpackRules
    private var last: (path: [CChar], directory: ParentDirectory)?
    private var hasSetGroupDirectory: Bool

    init(root: Int32, rules: UnpackRules) {
        self.root = root
        self.rules = rules
        hasSetGroupDirectory = !rules.isLayer
    }

    /// From now on, directories are asked whether they hand down their group.
    func noteSetGroupDirectory() {
        hasSetGroupDirectory = true
        last = nil
    }

    /// To be called when something is replaced: names may lead elsewhere now.
    func forget() { last = nil }

    /// The directory above `path`, made with its own parents where they are missing.
    /// - Throws: `ENOTDIR` or `ELOOP` when something on the way is no directory.
    func parent(of path: EntryPath) throws(SystemError) -> ParentDirectory {
        if let last, last.path.elementsEqual(path.parent) { return last.directory }
        let parent: ParentDirectory
        do throws(SystemError) {
            parent = try open(path.parent)
        } catch {
            guard error.code == 2 || error.code == 20 else { throw error }
            try makeParents(of: path)
            parent = try open(path.parent)
        }
        last = (Array(path.parent), parent)
        return parent
    }

    /// A directory by its path in the root; links on the way lead no farther than the root.
    func open(_ path: ArraySlice<CChar>) throws(SystemError) -> ParentDirectory {
        let text: [CChar] = path.isEmpty ? [0x2e, 0] : path + [0]
        let descriptor = try Files.open(
            text,
            [.path, .directory],
            at: root,
            resolving: [.inRoot, .noMagicLinks]
        )
        let hasSetGroup =
            hasSetGroupDirectory
            ? try Files.status(ofDescriptor: descriptor.raw).permissions & 0o2000 != 0 : false
        return ParentDirectory(descriptor, hasSetGroup: hasSetGroup)
    }

    /// Makes the directories above `path` that have no entries of their own. One that this layer has whited out comes
    /// back as an opaque directory.
    private func makeParents(of path: EntryPath) throws(SystemError) {
        let parent = path.parent
        var start = 0
        while start < parent.count {
            let end = parent[start...].firstIndex(of: 0x2f) ?? parent.count
            let above = try open(parent[..<max(0, start - 1)])
            let name = Array(parent[start..<end]) + [0]
            start = end + 1
            do throws(SystemError) {
                try Files.makeDirectory(name, permissions: 0o755, at: above.raw)
                if case .given(let user, let group) = rules.ownership {
                    try Files.changeOwner(of: name, user: user, group: group, at: above.raw)
                }
            } catch {
                guard error.code == 17 else { throw error }
                guard rules.isLayer, try Files.status(of: name, at: above.raw).isWhiteout else { continue }
                try Files.removeFile(name, at: above.raw)
                try Files.makeDirectory(name, permissions: 0o755, at: above.raw)
                let made = try Files.open(
                    name,
                    [.readOnly, .directory, .noFollow],
                    at: above.raw,
                    resolving: []
                )
                try Files.setAttribute(TreeUnpacker.opaqueAttribute, to: [0x79], ofDescriptor: made.raw)
            }
        }
    }
}
