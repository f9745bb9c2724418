// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// flock(2). A lock belongs to the open file description and ends when its last descriptor is closed.
package enum FileLocks {
    /// Waits for the exclusive lock of an open file.
    package static func lock(_ file: Int32) throws(SystemError) {
        while flock(file, LOCK_EX) != 0 {
            let code = errno
            guard code == EINTR else { throw SystemError("flock", code: code) }
        }
    }

    /// Takes the exclusive lock of an open file if nobody holds it.
    /// - Returns: false when somebody does.
    package static func tryLock(_ file: Int32) throws(SystemError) -> Bool {
        if flock(file, LOCK_EX | LOCK_NB) == 0 { return true }
        let code = errno
        guard code == EWOULDBLOCK else { throw SystemError("flock", code: code) }
        return false
    }
}
