// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Removal and measuring of whole trees, beneath a directory descriptor: no link is followed and no mount entered,
/// whatever somebody renames meanwhile.
extension Files {
    /// Removes `path` and all beneath it; harmless when nothing is there.
    ///
    /// Blocks for as long as it takes. Trees deeper than the descriptor limit are flattened on the way; what is
    /// immutable or append-only loses that first.
    /// - Throws: `EXDEV` when something is mounted in the tree (what is mounted stays untouched).
    package static func removeTree(
        _ path: UnsafePointer<CChar>,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        let code = unlink(path, flags: 0, at: directory, freesDirectory: false)
        switch code {
        case 0, ENOENT: return
        case EISDIR: break
        // Some file systems say so of directories.
        case EPERM where (try? status(of: path, at: directory).kind) == .directory: break
        default: throw SystemError("unlinkat", path: String(cString: path), code: code)
        }
        if unlink(path, flags: AT_REMOVEDIR, at: directory, freesDirectory: false) == 0 { return }
        do throws(SystemError) {
            let top = try open(path, [.readOnly, .directory, .noFollow], at: directory)
            var remover = TreeRemover(top: top.raw)
            while try remover.empty(top.raw, depth: 0) {}
        } catch {
            guard error.code == ENOENT else { throw error }
        }
        let failure = unlink(path, flags: AT_REMOVEDIR, at: directory, freesDirectory: false)
        guard failure == 0 || failure == ENOENT else {
            throw SystemError("rmdir", path: String(cString: path), code: failure)
        }
    }

    /// What the files beneath `path` take on disk, each counted once whatever its number of names; mounts are not
    /// entered. What vanishes meanwhile is not counted.
    package static func allocatedBytes(
        ofTree path: UnsafePointer<CChar>,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) -> Int64 {
        let top = try open(path, [.readOnly, .directory, .noFollow], at: directory)
        var counter = TreeCounter()
        try counter.add(top.raw, depth: 0)
        return counter.bytes
    }

    /// Opens the top of a tree. Mounts on the way to it are nobody's concern, one at the top itself is refused.
    private static func open(
        _ path: UnsafePointer<CChar>,
        _ flags: OpenFlags,
        at directory: Int32
    ) throws(SystemError) -> Descriptor {
        guard let slash = strrchr(path, 0x2f), slash[1] != 0 else {
            return try open(path, flags, at: directory, resolving: [.noMagicLinks, .withinMount])
        }
        let parentPath = Array(
            UnsafeBufferPointer(start: path, count: slash - UnsafeMutablePointer(mutating: path) + 1)
        )
        let parent = try open(parentPath + [0], [.path, .directory], at: directory, resolving: [])
        return try open(slash + 1, flags, at: parent.raw, resolving: [.noMagicLinks, .withinMount])
    }

    /// The names in an open directory as NUL-terminated bytes, with whether each is a directory (nil: not known).
    fileprivate static func entries(of directory: Int32) throws(SystemError) -> [(
        name: [CChar], isDirectory: Bool?
    )] {
        // The stream owns its descriptor, so it gets one of its own.
        let copy = petrel_openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard copy >= 0 else { throw SystemError("openat", path: ".", code: errno) }
        guard let stream = fdopendir(copy) else {
            let code = errno
            _ = Glibc.close(copy)
            throw SystemError("fdopendir", code: code)
        }
        defer { closedir(stream) }
        var result: [(name: [CChar], isDirectory: Bool?)] = []
        while true {
            errno = 0
            guard let entry = Glibc.readdir(stream) else {
                let code = errno
                guard code == 0 else { throw SystemError("readdir", code: code) }
                return result
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { bytes in
                    Array(UnsafeBufferPointer(start: bytes, count: strlen(bytes) + 1))
                }
            }
            if name == [0x2e, 0] || name == [0x2e, 0x2e, 0] { continue }
            let type = Int32(entry.pointee.d_type)
            result.append((name, type == Int32(DT_UNKNOWN) ? nil : type == Int32(DT_DIR)))
        }
    }
}

private struct TreeRemover {
    /// Directories that lie deeper than this below the top are moved up to it and removed from there.
    private static let maximumDepth = 64
    let top: Int32

    init(top: Int32) { self.top = top }

    /// Removes everything in `directory`. True when the top has to be looked at again.
    mutating func empty(_ directory: Int32, depth: Int) throws(SystemError) -> Bool {
        var again = false
        for entry in try Files.entries(of: directory) {
            if entry.isDirectory != true {
                let code = Files.unlink(entry.name, flags: 0, at: directory, freesDirectory: true)
                if code == 0 || code == ENOENT { continue }
                guard code == EISDIR || code == EPERM, entry.isDirectory == nil else {
                    throw SystemError("unlinkat", path: String(terminated: entry.name), code: code)
                }
            }
            if depth >= Self.maximumDepth {
                try moveUp(entry.name, of: directory)
                again = true
                continue
            }
            let child = try Files.open(
                entry.name,
                [.readOnly, .directory, .noFollow],
                at: directory,
                resolving: [.noMagicLinks, .withinMount]
            )
            again = try empty(child.raw, depth: depth + 1) || again
            let code = Files.unlink(
                entry.name,
                flags: AT_REMOVEDIR,
                at: directory,
                freesDirectory: true
            )
            guard code == 0 || code == ENOENT else {
                throw SystemError("rmdir", path: String(terminated: entry.name), code: code)
            }
        }
        return again
    }

    /// By a name that nothing in the tree can have: neither what an earlier attempt left nor what its maker foresaw.
    private func moveUp(_ name: [CChar], of directory: Int32) throws(SystemError) {
        let aside = ".petrel-removing-" + String(UInt64.random(in: .min ... .max), radix: 16)
        if Glibc.renameat(directory, name, top, aside) == 0 { return }
        let code = errno
        let isFree = code == EPERM && unprotect(name, directory)
        guard isFree, Glibc.renameat(directory, name, top, aside) == 0 else {
            throw SystemError("renameat", path: aside, code: isFree ? errno : code)
        }
    }

    /// What a rename touches: the directory, what is in it, and the top.
    private func unprotect(_ name: [CChar], _ directory: Int32) -> Bool {
        let changed = [
            Files.clearProtection(of: name, at: directory), Files.clearProtection(ofDescriptor: directory),
            Files.clearProtection(ofDescriptor: top),
        ]
        return changed.contains(true)
    }
}

private struct TreeCounter {
    private static let maximumDepth = 256
    var bytes: Int64 = 0
    private var linked: Set<UInt64> = []

    mutating func add(_ directory: Int32, depth: Int) throws(SystemError) {
        for entry in try Files.entries(of: directory) {
            guard let status = try? Files.status(of: entry.name, at: directory) else { continue }
            if status.kind != .directory, status.linkCount > 1, !linked.insert(status.inode).inserted {
                continue
            }
            bytes += status.allocatedBytes
            guard status.kind == .directory, depth < Self.maximumDepth else { continue }
            let child: Descriptor
            do throws(SystemError) {
                child = try Files.open(
                    entry.name,
                    [.readOnly, .directory, .noFollow],
                    at: directory,
                    resolving: [.noMagicLinks, .withinMount]
                )
            } catch {
                guard error.code == ENOENT || error.code == EXDEV else { throw error }
                continue
            }
            try add(child.raw, depth: depth + 1)
        }
    }
}
