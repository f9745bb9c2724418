// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Locks of files by processes.
package enum FileLocks {
    // flock(2): such a lock belongs to the open file description and ends when its last descriptor is closed.

    /// Waits for the exclusive lock of an open file.
    package static func lock(_ file: Int32) throws(SystemError) {
        while flock(file, LOCK_EX) != 0 {
            let code = errno
            guard code == EINTR else { throw SystemError("flock", code: code) }
        }
    }

    /// Takes the exclusive lock of an open file if nobody holds it.
    /// - Returns: false when somebody does.
    package static func tryLock(_ file: Int32) throws(SystemError) -> Bool { try tryLock(file, LOCK_EX) }

    private static func tryLock(_ file: Int32, _ kind: Int32) throws(SystemError) -> Bool {
        if flock(file, kind | LOCK_NB) == 0 { return true }
        let code = errno
        guard code == EWOULDBLOCK else { throw SystemError("flock", code: code) }
        return false
    }

    /// Takes a lock of an open file that others may have as well, if nobody has the exclusive one: a look at whether somebody
    /// does, that is in nobody's way who only looks.
    /// - Returns: false when somebody has.
    package static func trySharedLock(_ file: Int32) throws(SystemError) -> Bool {
        try tryLock(file, LOCK_SH)
    }

    /// Takes the record lock (fcntl(2) F_SETLK) on a whole file that is open for writing, if nobody holds it. It belongs to
    /// this process alone: it ends with it, or when it closes any descriptor of the file, and no child has it.
    /// - Returns: false when another process does.
    package static func tryRecordLock(_ file: Int32) throws(SystemError) -> Bool {
        var lock = wholeFile()
        let code = command(file, F_SETLK, &lock)
        guard code != EACCES, code != EAGAIN else { return false }
        guard code == 0 else { throw SystemError("fcntl(F_SETLK)", code: code) }
        return true
    }

    /// The process that holds the record lock of a file, as seen from here; nil when nobody does.
    package static func recordLockHolder(_ file: Int32) throws(SystemError) -> Int32? {
        var lock = wholeFile()
        let code = command(file, F_GETLK, &lock)
        guard code == 0 else { throw SystemError("fcntl(F_GETLK)", code: code) }
        return lock.l_type == Int16(F_UNLCK) ? nil : lock.l_pid
    }

    private static func wholeFile() -> Glibc.flock {
        var lock = Glibc.flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return lock
    }

    private static func command(_ file: Int32, _ command: Int32, _ lock: inout Glibc.flock) -> Int32 {
        withUnsafeMutablePointer(to: &lock) { lock in
            while petrel_fcntl(file, command, Int(bitPattern: lock)) != 0 {
                let code = errno
                if code != EINTR { return code }
            }
            return 0
        }
    }
}
