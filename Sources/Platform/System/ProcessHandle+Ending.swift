// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

extension ProcessHandle {
    /// How this process's own child ended, in the encoding of wait(2), without reaping it; nil while it runs.
    /// - Throws: `ECHILD` when it is no child of this process, or was reaped.
    package static func peekEnd(of child: Int32) throws(SystemError) -> Int32? {
        try wait(child, leavesZombie: true)
    }

    /// Reaps this process's own child, which must have ended.
    /// - Throws: `ECHILD` when it is no child of this process, or was reaped.
    package static func reap(_ child: Int32) throws(SystemError) {
        _ = try wait(child, leavesZombie: false)
    }

    private static func wait(_ child: Int32, leavesZombie: Bool) throws(SystemError) -> Int32? {
        // __WALL: also children that send no SIGCHLD.
        let options = WEXITED | WNOHANG | (leavesZombie ? WNOWAIT : 0) | 0x4000_0000
        var information = siginfo_t()
        while true {
            if waitid(idtype_t(3), id_t(child), &information, options) == 0 { break }  // P_PIDFD
            let code = errno
            guard code == EINTR else { throw SystemError("waitid", code: code) }
        }
        // siginfo_t on 64-bit machines: signal at 0, code at 8, pid at 16, status at 24, 32 bits each.
        return withUnsafeBytes(of: &information) { bytes in
            let pid = bytes.loadUnaligned(fromByteOffset: 16, as: Int32.self)
            let status = bytes.loadUnaligned(fromByteOffset: 24, as: Int32.self)
            guard pid != 0 else { return nil }
            switch bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self) {
            case 1: return (status & 0xff) << 8  // CLD_EXITED
            case 3: return status | 0x80  // CLD_DUMPED
            default: return status
            }
        }
    }
}

extension Signal {
    /// Lets the signal do nothing to this process. Unlike after `ignore`, a program executed later has the default again.
    package func disregard() { _ = Glibc.signal(rawValue, { _ in }) }
}

extension SystemEnvironment {
    /// setsid(2); a process that leads a session or group already stays as it is.
    package static func leadSession() { _ = setsid() }

    /// chdir(2).
    package static func changeDirectory(to path: String) throws(SystemError) {
        guard chdir(path) == 0 else { throw SystemError("chdir", path: path, code: errno) }
    }
}

extension DiskSpace {
    /// What a file system holds in all, and what is free on it for root; in bytes.
    package struct Room: Hashable, Sendable {
        package let totalBytes: UInt64
        package let freeBytes: UInt64
    }

    /// fstatvfs(3) of the file system that holds an open file.
    package static func room(around file: Int32) throws(SystemError) -> Room {
        var status = statvfs()
        guard fstatvfs(file, &status) == 0 else { throw SystemError("fstatvfs", code: errno) }
        let unit = UInt64(status.f_frsize)
        return Room(totalBytes: UInt64(status.f_blocks) * unit, freeBytes: UInt64(status.f_bfree) * unit)
    }
}
