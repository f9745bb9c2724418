// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Owner, permissions, times and extended attributes. Nothing here follows a link at the end of a path.
extension Files {
    /// fchownat(2) of what `path` names, a link itself included.
    package static func changeOwner(
        of path: UnsafePointer<CChar>,
        user: UInt32,
        group: UInt32,
        at directory: Int32
    ) throws(SystemError) {
        guard fchownat(directory, path, user, group, AT_SYMLINK_NOFOLLOW) == 0 else {
            let code = errno
            throw SystemError("fchownat", path: String(cString: path), code: code)
        }
    }

    /// fchown(2).
    package static func changeOwner(ofDescriptor file: Int32, user: UInt32, group: UInt32) throws(SystemError)
    {
        guard fchown(file, user, group) == 0 else { throw SystemError("fchown", code: errno) }
    }

    /// fchmod(2); `mode` is at most `0o7777`.
    package static func changeMode(ofDescriptor file: Int32, to mode: UInt32) throws(SystemError) {
        guard fchmod(file, mode) == 0 else { throw SystemError("fchmod", code: errno) }
    }

    /// fchmodat(2), which follows a link at the end: only for names that the caller has just made as something else.
    package static func changeMode(
        of path: UnsafePointer<CChar>,
        to mode: UInt32,
        at directory: Int32
    ) throws(SystemError) {
        guard fchmodat(directory, path, mode, 0) == 0 else {
            let code = errno
            throw SystemError("fchmodat", path: String(cString: path), code: code)
        }
    }

    /// utimensat(2): access and modification time of what `path` names, a link itself included.
    package static func setTimes(
        of path: UnsafePointer<CChar>,
        seconds: Int64,
        nanos: Int64,
        at directory: Int32
    ) throws(SystemError) {
        let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanos))
        guard Glibc.utimensat(directory, path, [time, time], AT_SYMLINK_NOFOLLOW) == 0 else {
            let code = errno
            throw SystemError("utimensat", path: String(cString: path), code: code)
        }
    }

    /// futimens(3).
    package static func setTimes(ofDescriptor file: Int32, seconds: Int64, nanos: Int64) throws(SystemError) {
        let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanos))
        guard Glibc.futimens(file, [time, time]) == 0 else { throw SystemError("futimens", code: errno) }
    }

    /// fsetxattr(2).
    package static func setAttribute(
        _ name: String,
        to value: [UInt8],
        ofDescriptor file: Int32
    ) throws(SystemError) {
        guard fsetxattr(file, name, value, value.count, 0) == 0 else {
            throw SystemError("fsetxattr", path: name, code: errno)
        }
    }

    /// lsetxattr(2) of `name` in `directory`: there is no call that takes both a directory and a name, so the path goes
    /// through `/proc/self/fd`.
    package static func setAttribute(
        _ attribute: String,
        to value: [UInt8],
        of name: [CChar],
        at directory: Int32
    ) throws(SystemError) {
        let path = pathThroughDescriptor(directory, name)
        guard lsetxattr(path, attribute, value, value.count, 0) == 0 else {
            let code = errno
            throw SystemError("lsetxattr", path: String(terminated: name) + " " + attribute, code: code)
        }
    }

    /// lgetxattr(2), at most 64 KiB; nil when the file has no such attribute.
    package static func attribute(_ name: String, of path: String) throws(SystemError) -> [UInt8]? {
        var code: Int32 = 0
        let value = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            let size = lgetxattr(path, name, buffer.baseAddress, buffer.count)
            code = size < 0 ? errno : 0
            count = max(0, size)
        }
        if code == ENODATA { return nil }
        guard code == 0 else { throw SystemError("lgetxattr", path: path, code: code) }
        return value
    }

    private static func pathThroughDescriptor(_ directory: Int32, _ name: [CChar]) -> [CChar] {
        var path = "/proc/self/fd/\(directory)/".utf8.map { CChar(bitPattern: $0) }
        path += name
        if path.last != 0 { path.append(0) }
        return path
    }
}
