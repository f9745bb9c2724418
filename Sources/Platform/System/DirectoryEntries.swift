// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Making and removing names in a directory that is given as a descriptor. Paths are Strings, or bytes that end with
/// NUL for names that are not UTF-8.
extension Files {
    /// mkdirat(2).
    package static func makeDirectory(
        _ path: UnsafePointer<CChar>,
        permissions: UInt32,
        at directory: Int32
    ) throws(SystemError) {
        guard Glibc.mkdirat(directory, path, permissions) == 0 else { throw failure("mkdirat", path, errno) }
    }

    /// mknodat(2) of a device node; 0/0 as a character device is overlayfs's whiteout.
    package static func makeDevice(
        _ path: UnsafePointer<CChar>,
        block: Bool,
        permissions: UInt32,
        major: UInt32,
        minor: UInt32,
        at directory: Int32
    ) throws(SystemError) {
        let mode = (block ? S_IFBLK : S_IFCHR) | (permissions & 0o7777)
        guard Glibc.mknodat(directory, path, mode, DeviceNumber.combine(major: major, minor: minor)) == 0
        else {
            throw failure("mknodat", path, errno)
        }
    }

    /// mknodat(2) of a named pipe.
    package static func makeFIFO(
        _ path: UnsafePointer<CChar>,
        permissions: UInt32,
        at directory: Int32
    ) throws(SystemError) {
        guard Glibc.mknodat(directory, path, S_IFIFO | (permissions & 0o7777), 0) == 0 else {
            throw failure("mknodat", path, errno)
        }
    }

    /// symlinkat(2): makes `path` a link that says `target`.
    package static func makeSymbolicLink(
        _ path: UnsafePointer<CChar>,
        to target: UnsafePointer<CChar>,
        at directory: Int32
    ) throws(SystemError) {
        guard Glibc.symlinkat(target, directory, path) == 0 else { throw failure("symlinkat", path, errno) }
    }

    /// linkat(2): another name for the file `path`; a symbolic link is linked itself, never followed.
    package static func makeHardLink(
        to path: UnsafePointer<CChar>,
        at directory: Int32,
        named newPath: UnsafePointer<CChar>,
        at newDirectory: Int32
    ) throws(SystemError) {
        guard Glibc.linkat(directory, path, newDirectory, newPath, 0) == 0 else {
            throw failure("linkat", newPath, errno)
        }
    }

    /// unlinkat(2) of anything but a directory.
    package static func removeFile(_ path: UnsafePointer<CChar>, at directory: Int32) throws(SystemError) {
        guard Glibc.unlinkat(directory, path, 0) == 0 else { throw failure("unlinkat", path, errno) }
    }

    /// unlinkat(2) with `AT_REMOVEDIR`: an empty directory.
    package static func removeDirectory(
        _ path: UnsafePointer<CChar>,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        guard Glibc.unlinkat(directory, path, AT_REMOVEDIR) == 0 else { throw failure("rmdir", path, errno) }
    }

    /// readlinkat(2): what a symbolic link says, at most 4,095 bytes.
    package static func linkTarget(
        of path: UnsafePointer<CChar>,
        at directory: Int32 = currentDirectory
    ) throws(SystemError) -> String {
        String(decoding: try linkBytes(of: path, at: directory), as: UTF8.self)
    }

    /// syncfs(2): writes everything of the file system that holds `file` to its disk, and reports a failed write-back.
    package static func syncFileSystem(of file: Int32) throws(SystemError) {
        guard petrel_syscall(Int(SYS_syncfs), Int(file), 0, 0, 0, 0, 0) == 0 else {
            throw SystemError("syncfs", code: errno)
        }
    }

    private static func failure(_ call: String, _ path: UnsafePointer<CChar>, _ code: Int32) -> SystemError {
        SystemError(call, path: String(cString: path), code: code)
    }
}
