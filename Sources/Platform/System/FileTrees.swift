// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Whole directory trees, and room on their disks.
package enum FileTrees {
    /// Removes a file or a directory with all that is in it. Links are removed, never followed, and nothing is looked
    /// up by a path that somebody could exchange meanwhile. Absence is success.
    /// - Throws: `EBUSY` when something is mounted in it.
    package static func remove(_ path: String, at directory: Int32 = Files.currentDirectory) throws(SystemError) {
        if unlinkat(directory, path, 0) == 0 { return }
        let code = errno
        if code == ENOENT { return }
        guard code == EISDIR || code == EPERM else { throw SystemError("unlinkat", path: path, code: code) }
        do throws(SystemError) {
            let inner = try Files.open(path, [.readOnly, .directory, .noFollow], at: directory)
            for name in try names(in: inner.raw) { try remove(name, at: inner.raw) }
        } catch {
            guard error.code == ENOENT else { throw error }
            return
        }
        guard unlinkat(directory, path, AT_REMOVEDIR) == 0 || errno == ENOENT else {
            throw SystemError("rmdir", path: path, code: errno)
        }
    }

    /// Names in an open directory, in no order, without `.` and `..`.
    package static func names(in directory: Int32) throws(SystemError) -> [String] {
        let own = try Files.open(".", [.readOnly, .directory], at: directory)
        let raw = own.relinquish()
        guard let stream = fdopendir(raw) else {
            let code = errno
            _ = Glibc.close(raw)
            throw SystemError("fdopendir", code: code)
        }
        defer { closedir(stream) }
        var result: [String] = []
        while true {
            errno = 0
            guard let entry = Glibc.readdir(stream) else {
                let code = errno
                guard code == 0 else { throw SystemError("readdir", code: code) }
                return result
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { result.append(name) }
        }
    }

    /// Bytes that root may still write on the file system that holds `path`.
    package static func freeBytes(at path: String) throws(SystemError) -> UInt64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw SystemError("statvfs", path: path, code: errno) }
        return UInt64(status.f_bfree) * UInt64(status.f_frsize)
    }

    /// fallocate(2): gives an open file `size` bytes of disk.
    package static func allocate(_ file: Int32, size: Int64) throws(SystemError) {
        let code = posix_fallocate(file, 0, off_t(size))
        guard code == 0 else { throw SystemError("fallocate", code: code) }
    }
}
