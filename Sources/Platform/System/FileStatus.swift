// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// What stat(2) says of a file.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Sendable {
        case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket
    }

    package let kind: Kind
    /// The permission bits, set-id and sticky bits included: `0o7777` at most.
    package let permissions: UInt32
    package let user: UInt32
    package let group: UInt32
    package let sizeBytes: Int64
    /// What the file takes on disk.
    package let allocatedBytes: Int64
    package let linkCount: UInt64
    package let device: UInt64
    package let inode: UInt64
    /// Of a device node.
    package let deviceMajor: UInt32
    package let deviceMinor: UInt32
    package let modifiedSeconds: Int64
    package let modifiedNanos: Int64

    /// Overlayfs marks a removed file by a character device 0/0.
    package var isWhiteout: Bool { kind == .characterDevice && deviceMajor == 0 && deviceMinor == 0 }

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .regular
            }
        permissions = status.st_mode & 0o7777
        user = status.st_uid
        group = status.st_gid
        sizeBytes = Int64(status.st_size)
        allocatedBytes = Int64(status.st_blocks) * 512
        linkCount = UInt64(status.st_nlink)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        deviceMajor = DeviceNumber.major(UInt64(status.st_rdev))
        deviceMinor = DeviceNumber.minor(UInt64(status.st_rdev))
        modifiedSeconds = Int64(status.st_mtim.tv_sec)
        modifiedNanos = Int64(status.st_mtim.tv_nsec)
    }
}

extension Files {
    /// fstatat(2), without following a link at the end.
    package static func status(
        of path: UnsafePointer<CChar>,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) -> FileStatus {
        var status = stat()
        guard fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            let code = errno
            throw SystemError("fstatat", path: String(cString: path), code: code)
        }
        return FileStatus(status)
    }

    /// fstat(2).
    package static func status(ofDescriptor file: Int32) throws(SystemError) -> FileStatus {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw SystemError("fstat", code: errno) }
        return FileStatus(status)
    }
}

/// Linux's 64-bit device numbers: the low 12 bits of the major at 8, the rest at 44; the low 8 bits of the minor at 0,
/// the rest at 20.
enum DeviceNumber {
    static func combine(major: UInt32, minor: UInt32) -> UInt {
        let (major, minor) = (UInt(major), UInt(minor))
        return (major & 0xfff) << 8 | (major & ~0xfff) << 32 | minor & 0xff | (minor & ~0xff) << 12
    }

    static func major(_ number: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: number >> 8 & 0xfff | number >> 32 & 0xffff_f000)
    }

    static func minor(_ number: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: number & 0xff | number >> 12 & 0xffff_ff00)
    }
}
