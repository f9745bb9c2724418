// SPDX-License-Identifier: Apache-2.0
package import System
package import Tar

/// How a tree is packed.
package struct PackRules: Sendable {
    /// Everything is said to be this user's and group's; nil: whose it is.
    package var owner: (user: UInt32, group: UInt32)?
    /// Directories that show the kernel's state are packed empty, except for one that is asked for itself.
    package var leavesOutKernelViews = false
    /// Names in the top directory that are packed empty when something is mounted there.
    package var emptyMounts: Set<[UInt8]> = []
    /// Directories below the top.
    package var depth = 1_000
    /// What is remembered of files with several names; more of them become files of their own.
    package var linkBytes = 64 << 20

    package init() {}
}

/// Packs files and trees of files into a tar stream.
///
/// Each name is opened in its parent, never by path and never through a link, so that whoever changes the tree meanwhile
/// gets nothing packed from elsewhere. Regular files alone are opened, and only after they were seen to be such; devices and
/// named pipes are headers, sockets are left out. What vanishes is left out, what changes its kind is looked at again, and
/// a file that becomes shorter is an error. Blocking; used by one thread; one descriptor and buffer for each directory on
/// the way.
package final class TreePacker {
    private static let chunkBytes = 256 << 10
    private static let attempts = 10

    private struct FileKey: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let writer: TarWriter
    private let rules: PackRules
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 64)
    private var links: [FileKey: [UInt8]] = [:]
    private var linkBytes = 0

    package init(_ writer: TarWriter, rules: PackRules = PackRules()) {
        self.writer = writer
        self.rules = rules
    }

    deinit { buffer.deallocate() }

    /// Packs what `name` (NUL at its end) is in an open directory, a link itself included.
    /// - Parameter archived: What it is called in the archive.
    /// - Throws: `.system` with `ENOENT` when it is not there.
    package func pack(_ name: [CChar], in parent: Int32, as archived: [UInt8]) throws(ArchiveError) {
        guard try add(name, in: parent, as: archived, Place(depth: 0, device: nil)) else {
            throw .system(entry: Self.text(archived), SystemError("fstatat", code: ErrorNumber.notFound))
        }
    }

    /// Packs a directory with all that is in it.
    package func pack(directory: consuming Descriptor, as archived: [UInt8]) throws(ArchiveError) {
        let status: FileStatus
        do throws(SystemError) { status = try Files.status(ofDescriptor: directory.raw) } catch {
            throw .system(entry: Self.text(archived), error)
        }
        try addDirectory(
            Opened(file: directory, status: status),
            as: archived,
            Place(depth: 0, device: nil)
        )
    }

    // MARK: Kinds

    /// Where something lies: how deep below the top, and on which device its directory is (nil: the top's own).
    private struct Place {
        let depth: Int
        let device: UInt64?
    }

    private struct Opened: ~Copyable {
        let file: Descriptor
        let status: FileStatus
    }

    private func open(_ name: [CChar], _ flags: OpenFlags, in parent: Int32) throws(SystemError) -> Opened {
        let file = try Files.open(name, flags.union(.noFollow), at: parent, resolving: .noSymbolicLinks)
        let status = try Files.status(ofDescriptor: file.raw)
        return Opened(file: file, status: status)
    }

    private enum Outcome { case packed, gone, changed }

    /// - Returns: False when it is not there any more.
    private func add(_ name: [CChar], in parent: Int32, as archived: [UInt8], _ place: Place)
        throws(ArchiveError) -> Bool
    {
        for _ in 0..<Self.attempts {
            switch try attempt(name, in: parent, as: archived, place) {
            case .packed: return true
            case .gone: return false
            case .changed: continue
            }
        }
        throw .changed(entry: Self.text(archived))
    }

    private func attempt(_ name: [CChar], in parent: Int32, as archived: [UInt8], _ place: Place)
        throws(ArchiveError) -> Outcome
    {
        let status: FileStatus
        do throws(SystemError) { status = try Files.status(of: name, at: parent) } catch {
            return try outcome(of: error, archived)
        }
        switch status.kind {
        case .regular: return try addFile(name, in: parent, as: archived)
        case .directory:
            let directory: Opened
            do throws(SystemError) { directory = try open(name, [.readOnly, .directory], in: parent) } catch {
                return try outcome(of: error, archived)
            }
            try addDirectory(directory, as: archived, place)
        case .symbolicLink:
            var entry = entry(status, archived, .symbolicLink)
            do throws(SystemError) { entry.linkTarget = try Files.linkBytes(of: name, at: parent) } catch {
                return try outcome(of: error, archived)
            }
            try writer.add(entry)
        case .characterDevice: try writer.add(entry(status, archived, .characterDevice))
        case .blockDevice: try writer.add(entry(status, archived, .blockDevice))
        case .fifo: try writer.add(entry(status, archived, .fifo))
        case .socket: break
        }
        return .packed
    }

    /// What an error says about a name that was there a moment ago.
    private func outcome(of error: SystemError, _ archived: [UInt8]) throws(ArchiveError) -> Outcome {
        switch error.code {
        case ErrorNumber.notFound: return .gone
        // No directory, a link, no link, a socket: it is something else now.
        case 20, 40, 22, 6: return .changed
        default: throw .system(entry: Self.text(archived), error)
        }
    }

    private func addFile(_ name: [CChar], in parent: Int32, as archived: [UInt8]) throws(ArchiveError)
        -> Outcome
    {
        let opened: Opened
        do throws(SystemError) {
            // Never waiting for the other end of a named pipe that has taken its place.
            opened = try open(name, [.readOnly, .nonBlocking, .noControllingTerminal], in: parent)
        } catch {
            // A device that has taken its place, where none may be opened.
            let isOther = error.code == 13 && (try? Files.status(of: name, at: parent).kind) != .regular
            return isOther ? .changed : try outcome(of: error, archived)
        }
        let status = opened.status
        guard status.kind == .regular else { return .changed }
        let key = FileKey(device: status.device, inode: status.inode)
        if status.linkCount > 1, let first = links[key] {
            var link = entry(status, archived, .hardLink)
            link.linkTarget = first
            try writer.add(link)
            return .packed
        }
        var entry = entry(status, archived, .regular)
        entry.sizeBytes = status.sizeBytes
        entry.attributes = try attributes(opened.file.raw, archived)
        try writer.add(entry)
        try copyContent(of: opened.file.raw, status.sizeBytes, archived)
        let size = archived.count + 64
        if status.linkCount > 1, linkBytes + size <= rules.linkBytes {
            links[key] = archived
            linkBytes += size
        }
        return .packed
    }

    private func copyContent(of file: Int32, _ size: Int64, _ archived: [UInt8]) throws(ArchiveError) {
        var left = size
        while left > 0 {
            let part = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<min(buffer.count, Int(clamping: left))]
            )
            let count = try named(archived) { () throws(SystemError) in try Files.read(file, into: part) }
            guard count > 0 else { throw .changed(entry: Self.text(archived)) }
            try writer.content(UnsafeRawBufferPointer(rebasing: part[..<count]))
            left -= Int64(count)
        }
    }

    private func addDirectory(
        _ opened: consuming Opened,
        as archived: [UInt8],
        _ place: Place
    ) throws(ArchiveError) {
        let status = opened.status
        let raw = opened.file.raw
        var entry = entry(status, archived, .directory)
        entry.attributes = try attributes(raw, archived)
        try writer.add(entry)
        guard place.depth <= rules.depth else {
            throw .refused(entry: Self.text(archived), .tooDeep(limit: rules.depth))
        }
        if let device = place.device, device != status.device {
            let isView = try named(archived) { () throws(SystemError) in try FileSystems.isKernelView(raw) }
            if isView, rules.leavesOutKernelViews { return }
            let name = archived.split(separator: 0x2f).last.map(Array.init) ?? []
            if place.depth == 1, rules.emptyMounts.contains(name) { return }
        }
        let stream: DirectoryStream
        do throws(SystemError) { stream = try DirectoryStream(opened.file) } catch {
            throw .system(entry: Self.text(archived), error)
        }
        let inside = Place(depth: place.depth + 1, device: status.device)
        let prefix = archived.last == 0x2f ? archived : archived + [0x2f]
        while true {
            let next: [CChar]?
            do throws(SystemError) { next = try stream.next() } catch {
                throw .system(entry: Self.text(archived), error)
            }
            guard let name = next else { return }
            let inner = prefix + name.dropLast().map { UInt8(bitPattern: $0) }
            _ = try add(name, in: stream.raw, as: inner, inside)
        }
    }

    // MARK: Steps

    private func entry(_ status: FileStatus, _ archived: [UInt8], _ kind: TarEntry.Kind) -> TarEntry {
        var entry = TarEntry()
        entry.name = archived
        entry.kind = kind
        entry.permissions = status.permissions
        entry.user = rules.owner?.user ?? status.user
        entry.group = rules.owner?.group ?? status.group
        entry.modifiedSeconds = status.modifiedSeconds
        entry.modifiedNanos = status.modifiedNanos
        entry.deviceMajor = status.deviceMajor
        entry.deviceMinor = status.deviceMinor
        return entry
    }

    private func attributes(_ file: Int32, _ archived: [UInt8]) throws(ArchiveError) -> [(
        name: String, value: [UInt8]
    )] {
        var result: [(name: String, value: [UInt8])] = []
        do throws(SystemError) {
            for name in try Files.attributeNames(ofDescriptor: file) where TreeUnpacker.isKept(name) {
                guard let value = try Files.attribute(name, ofDescriptor: file) else { continue }
                result.append((name, value))
            }
        } catch {
            throw .system(entry: Self.text(archived), error)
        }
        return result
    }

    private func named<Result>(
        _ archived: [UInt8],
        _ body: () throws(SystemError) -> Result
    ) throws(ArchiveError) -> Result {
        do throws(SystemError) { return try body() } catch {
            throw .system(entry: Self.text(archived), error)
        }
    }

    private static func text(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }
}
