// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// How a file is opened. `O_CLOEXEC` is always added.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let readOnly = OpenFlags(rawValue: O_RDONLY)
    package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    package static let readWrite = OpenFlags(rawValue: O_RDWR)
    package static let create = OpenFlags(rawValue: O_CREAT)
    package static let exclusive = OpenFlags(rawValue: O_EXCL)
    package static let truncate = OpenFlags(rawValue: O_TRUNC)
    package static let append = OpenFlags(rawValue: O_APPEND)
    package static let directory = OpenFlags(rawValue: O_DIRECTORY)
    package static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    package static let path = OpenFlags(rawValue: 0o10000000)
}

/// System calls on files. Each takes an optional directory descriptor that a relative path starts from.
package enum Files {
    /// The current directory, for calls that want a directory's descriptor number.
    package static let currentDirectory: Int32 = AT_FDCWD

    /// openat(2); relative paths start at `directory`.
    package static func open(
        _ path: String,
        _ flags: OpenFlags,
        mode: UInt32 = 0o644,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) -> Descriptor {
        while true {
            let raw = petrel_openat(directory, path, flags.rawValue | O_CLOEXEC, mode)
            if raw >= 0 { return Descriptor(adopting: raw) }
            let code = errno
            guard code == EINTR else { throw SystemError("openat", path: path, code: code) }
        }
    }

    /// read(2) into `buffer`; 0 at the end of the file.
    package static func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError)
        -> Int
    {
        while true {
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let code = errno
            guard code == EINTR else { throw SystemError("read", code: code) }
        }
    }

    /// Reads until `buffer` is full or the file ends.
    /// - Returns: The number of bytes.
    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from file: Int32) throws(SystemError)
        -> Int
    {
        var done = 0
        while done < buffer.count {
            let count = try read(file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    /// pread(2) into `buffer`; 0 at the end of the file.
    package static func read(
        _ file: Int32,
        into buffer: UnsafeMutableRawBufferPointer,
        offset: Int64
    ) throws(SystemError) -> Int {
        while true {
            let count = Glibc.pread(file, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            let code = errno
            guard code == EINTR else { throw SystemError("pread", code: code) }
        }
    }

    /// Writes all of `bytes`, continuing after partial writes.
    package static func writeAll(_ file: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        guard let start = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(file, start + done, bytes.count - done)
            let code = errno
            if count >= 0 {
                done += count
            } else if code != EINTR {
                throw SystemError("write", code: code)
            }
        }
    }

    /// Writes all of `bytes`.
    package static func writeAll(_ file: Int32, _ bytes: [UInt8]) throws(SystemError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<Void, SystemError> in
            do throws(SystemError) { return .success(try writeAll(file, buffer)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// The whole file, at most `limit` bytes.
    /// - Throws: `EFBIG` when it is larger.
    package static func contents(
        of path: String,
        limit: Int = 16 << 20,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) -> [UInt8] {
        let file = try open(path, .readOnly, at: directory)
        return try contents(of: file.raw, limit: limit, path: path)
    }

    /// What is left to read of an open file, at most `limit` bytes. Kernel files, whose size reads 0, work too.
    /// - Throws: `EFBIG` when there is more.
    package static func contents(of file: Int32, limit: Int, path: String = "") throws(SystemError) -> [UInt8]
    {
        var result: [UInt8] = []
        // Most are small, and read in great numbers.
        var chunkSize = 4 << 10
        while true {
            var failure: SystemError?
            let chunk = [UInt8](unsafeUninitializedCapacity: chunkSize) { buffer, count in
                do throws(SystemError) {
                    count = try fill(UnsafeMutableRawBufferPointer(buffer), from: file)
                } catch {
                    failure = error
                }
            }
            if let failure { throw SystemError(failure.operation, path: path, code: failure.code) }
            guard result.count + chunk.count <= limit else {
                throw SystemError("read", path: path, code: EFBIG)
            }
            result += chunk
            guard chunk.count == chunkSize else { return result }
            chunkSize = 64 << 10
        }
    }

    /// A small kernel or configuration file as text, without white space at its end.
    package static func text(of path: String, at directory: Int32 = currentDirectory) throws(SystemError)
        -> String
    {
        var bytes = try contents(of: path, limit: 1 << 20, at: directory)
        while let last = bytes.last, last == 0x0a || last == 0x20 || last == 0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a kernel file (cgroup, sysctl, /proc) in one write call, which is what such files require.
    package static func writeOnce(
        _ text: String,
        to path: String,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        let file = try open(path, .writeOnly, at: directory)
        var copy = text
        let written = copy.withUTF8 { Glibc.write(file.raw, $0.baseAddress, $0.count) }
        let code = errno
        guard written == text.utf8.count else {
            throw SystemError("write", path: path, code: written < 0 ? code : EIO)
        }
    }

    /// Replaces a file so that a reader, or whoever comes after this process was killed, sees the old or the new content,
    /// whole: written aside and renamed.
    /// - Parameter durably: So, too, after the machine's sudden end: synced before, and the directory after. Otherwise a
    ///   file may be found there with neither content; for what has no meaning after another boot.
    package static func replace(
        _ path: String,
        with bytes: [UInt8],
        mode: UInt32 = 0o600,
        durably: Bool = true,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        let aside = path + ".new"
        let file = try open(aside, [.writeOnly, .create, .truncate], mode: mode, at: directory)
        do {
            try writeAll(file.raw, bytes)
            if durably { try sync(file.raw) }
            try file.close()
            try rename(aside, to: path, at: directory)
        } catch {
            _ = Glibc.unlinkat(directory, aside, 0)
            throw error
        }
        guard durably else { return }
        let parent = try open(parentPath(of: path), [.readOnly, .directory], at: directory)
        try sync(parent.raw)
    }

    /// As `replace`, for what means nothing after another boot of the machine, and is not worth a write to the disk: file
    /// systems hurry to write what a rename puts in the place of something (ext4, `auto_da_alloc`), and leave names that
    /// are exchanged alone.
    package static func replaceForThisBoot(
        _ path: String,
        with bytes: [UInt8],
        mode: UInt32 = 0o600
    ) throws(SystemError) {
        let aside = path + ".new"
        // What one that was killed has left may have been the file before: somebody may still read it.
        _ = Glibc.unlink(aside)
        let file = try open(aside, [.writeOnly, .create, .exclusive], mode: mode)
        do {
            try writeAll(file.raw, bytes)
            try file.close()
            // Not where nothing is to be replaced, nor where the file system cannot.
            guard petrel_exchange_names(aside, path) == 0 else { return try rename(aside, to: path) }
        } catch {
            _ = Glibc.unlink(aside)
            throw error
        }
        _ = Glibc.unlink(aside)
    }

    /// As `replaceForThisBoot`, for a file that nobody reads while somebody writes it: what it replaces stays beside it, and is
    /// overwritten by the next one, so that a full disk does not matter from the third time on.
    package static func replaceInTurn(
        _ path: String,
        with bytes: [UInt8],
        mode: UInt32 = 0o600
    ) throws(SystemError) {
        let aside = path + ".new"
        let file = try open(aside, [.writeOnly, .create], mode: mode)
        try write(file.raw, bytes, offset: 0)
        if try size(of: file.raw) != Int64(bytes.count) {
            try truncate(file.raw, toBytes: Int64(bytes.count))
        }
        try file.close()
        guard petrel_exchange_names(aside, path) == 0 else { return try rename(aside, to: path) }
    }

    /// Makes the names in a directory durable.
    package static func syncDirectory(_ path: String) throws(SystemError) {
        let directory = try open(path, [.readOnly, .directory])
        try sync(directory.raw)
    }

    /// fsync(2).
    package static func sync(_ file: Int32) throws(SystemError) {
        guard Glibc.fsync(file) == 0 else { throw SystemError("fsync", code: errno) }
    }

    /// renameat(2), replacing `destination`.
    package static func rename(
        _ source: String,
        to destination: String,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        guard Glibc.renameat(directory, source, directory, destination) == 0 else {
            throw SystemError("renameat", path: destination, code: errno)
        }
    }

    /// unlinkat(2) of a file.
    package static func unlink(_ path: String, at directory: Int32 = currentDirectory) throws(SystemError) {
        guard Glibc.unlinkat(directory, path, 0) == 0 else {
            throw SystemError("unlinkat", path: path, code: errno)
        }
    }

    /// mkdirat(2).
    package static func makeDirectory(
        _ path: String,
        mode: UInt32 = 0o755,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        guard Glibc.mkdirat(directory, path, mode) == 0 else {
            throw SystemError("mkdirat", path: path, code: errno)
        }
    }

    /// Makes a directory and its missing parents; one that is there already is left as it is.
    package static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
        // Mostly it is there, or its parent is.
        if Glibc.mkdir(path, mode) == 0 { return }
        let code = errno
        if code == EEXIST { return }
        guard code == ENOENT else { throw SystemError("mkdir", path: path, code: code) }
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += (prefix.isEmpty || prefix.hasSuffix("/") ? "" : "/") + part
            guard Glibc.mkdir(prefix, mode) != 0 else { continue }
            let code = errno
            guard code == EEXIST else { throw SystemError("mkdir", path: prefix, code: code) }
        }
    }

    /// Whether something is at `path` (a link counts, whatever it points at).
    package static func exists(_ path: String, at directory: Int32 = currentDirectory) -> Bool {
        var status = stat()
        return fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// Size of an open file, in bytes.
    package static func size(of file: Int32) throws(SystemError) -> Int64 {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw SystemError("fstat", code: errno) }
        return Int64(status.st_size)
    }

    /// Names in a directory, sorted, without `.` and `..`.
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("opendir", path: path, code: errno) }
        defer { closedir(stream) }
        var result: [String] = []
        while true {
            errno = 0
            guard let entry = Glibc.readdir(stream) else {
                let code = errno
                guard code == 0 else { throw SystemError("readdir", path: path, code: code) }
                return result.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { result.append(name) }
        }
    }

    /// `a/b` for `a/b/c`, `.` for `c`, `/` for `/c`.
    package static func parentPath(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
