// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Room on disks.
package enum DiskSpace {
    /// Bytes that root may still write on the file system that holds `path`.
    package static func freeBytes(at path: String) throws(SystemError) -> UInt64 {
        let status = try status(at: path)
        return UInt64(status.f_bfree) * UInt64(status.f_frsize)
    }

    /// Bytes of the file system that holds `path`, free or not.
    package static func totalBytes(at path: String) throws(SystemError) -> UInt64 {
        let status = try status(at: path)
        return UInt64(status.f_blocks) * UInt64(status.f_frsize)
    }

    private static func status(at path: String) throws(SystemError) -> statvfs {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw SystemError("statvfs", path: path, code: errno) }
        return status
    }

    /// posix_fallocate(3): gives an open file `size` bytes of disk.
    package static func allocate(_ file: Int32, size: Int64) throws(SystemError) {
        let code = posix_fallocate(file, 0, off_t(size))
        guard code == 0 else { throw SystemError("fallocate", code: code) }
    }

    /// fallocate(2) with FALLOC_FL_KEEP_SIZE: writing `count` bytes at `offset` of an open file will find room on the disk. Its
    /// size stays.
    package static func allocateAhead(_ file: Int32, offset: Int64, count: Int64) throws(SystemError) {
        guard petrel_allocate_ahead(file, offset, count) == 0 else {
            throw SystemError("fallocate", code: errno)
        }
    }
}
