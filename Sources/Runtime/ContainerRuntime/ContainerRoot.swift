// SPDX-License-Identifier: Apache-2.0
internal import System

/// A container's root directory, seen from outside: every path is resolved in it by the kernel (openat2), so that
/// no link, `..` or concurrent rename leads out.
struct ContainerRoot {
    /// Lent.
    let directory: Int32

    /// Opens what is at `path` as a place (O_PATH), following links within the root.
    func place(_ path: String, allowingLinks: Bool = true) throws(SystemError) -> Descriptor {
        try open(path, .path, allowingLinks: allowingLinks)
    }

    func open(
        _ path: String,
        _ flags: OpenFlags,
        allowingLinks: Bool = true
    ) throws(SystemError) -> Descriptor {
        let resolution: Resolution = allowingLinks ? [.inRoot, .noMagicLinks] : [.inRoot, .noSymbolicLinks]
        return try Files.open(path, flags, at: directory, resolving: resolution)
    }

    enum Wanted {
        case directory
        case file
    }

    /// The place at `path`, made with its missing parents when it is not there. Links to what is missing are
    /// followed, within the root, and their targets made.
    func ensure(
        _ path: String,
        _ wanted: Wanted,
        allowingLinks: Bool = true,
        mode: UInt32 = 0o755
    ) throws(SystemError) -> Descriptor {
        var rest = Self.components(path)
        let whole = "/" + rest.joined(separator: "/")
        // Mostly all of it is there, or all but the last.
        if let present = try? place(whole, allowingLinks: allowingLinks) { return present }
        if let name = rest.last,
            let parent = try? place(Files.parentPath(of: whole), allowingLinks: allowingLinks),
            (try? make(name, in: parent.raw, wanted, mode: mode)) != nil
        {
            return try place(whole, allowingLinks: allowingLinks)
        }
        var done = ""
        var links = 0
        while !rest.isEmpty {
            let name = rest.removeFirst()
            let next = done + "/" + name
            if (try? place(next, allowingLinks: allowingLinks)) != nil {
                done = next
                continue
            }
            let parent = try place(done.isEmpty ? "/" : done, allowingLinks: allowingLinks)
            do throws(SystemError) {
                try make(name, in: parent.raw, rest.isEmpty ? wanted : .directory, mode: mode)
                done = next
            } catch {
                guard error.code == 17 else {
                    throw SystemError(error.operation, path: path, code: error.code)
                }
                links += 1
                guard allowingLinks, links <= 40 else { throw SystemError("openat2", path: path, code: 40) }
                let target = try Files.link(at: name, directory: parent.raw)
                if target.hasPrefix("/") { done = "" }
                rest = Self.components(target) + rest
            }
        }
        return try place(done.isEmpty ? "/" : done, allowingLinks: allowingLinks)
    }

    private static func components(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map(String.init)
    }

    private func make(_ name: String, in parent: Int32, _ wanted: Wanted, mode: UInt32) throws(SystemError) {
        switch wanted {
        case .directory: try Files.makeDirectory(name, mode: mode, at: parent)
        case .file: try Files.open(name, [.writeOnly, .create, .exclusive], mode: 0o644, at: parent).close()
        }
    }

    /// The directory that holds `path`, made when missing, for making a node in it.
    func parent(of path: String) throws(SystemError) -> Descriptor {
        try ensure(Files.parentPath(of: path), .directory)
    }

    /// The last component of a path.
    static func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

    /// A file's whole text if it is a regular file; an empty one when it is absent.
    func text(of path: String, limit: Int) throws(SystemError) -> String {
        do throws(SystemError) {
            // Not blocking on a FIFO that an image put there.
            let file = try open(path, [.readOnly, .nonBlocking])
            guard try Files.status(ofDescriptor: file.raw).kind == .regular else {
                throw SystemError("open", path: path, code: 22)
            }
            return String(decoding: try Files.contents(of: file.raw, limit: limit, path: path), as: UTF8.self)
        } catch {
            guard error.code == 2 || error.code == 20 else { throw error }
            return ""
        }
    }
}
