// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Waiting for child processes by number, and becoming the parent of orphans.
package enum Children {
    package struct Ended: Hashable, Sendable {
        package let pid: Int32
        /// As waitpid(2) returns it.
        package let waitStatus: Int32
    }

    /// Reaps one child that has ended; nil when there is none (or no child at all).
    package static func reapNext() throws(SystemError) -> Ended? {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            if pid > 0 { return Ended(pid: pid, waitStatus: status) }
            if pid == 0 { return nil }
            let code = errno
            if code == ECHILD { return nil }
            guard code == EINTR else { throw SystemError("waitpid", code: code) }
        }
    }

    /// Waits for one child to end, and reaps it.
    package static func reap(_ pid: Int32) throws(SystemError) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            let code = errno
            guard code == EINTR else { throw SystemError("waitpid", path: "\(pid)", code: code) }
        }
        return status
    }

    /// Orphaned descendants become this process's children (`PR_SET_CHILD_SUBREAPER`).
    package static func adoptOrphans() throws(SystemError) {
        guard petrel_subreaper() == 0 else {
            throw SystemError("prctl(PR_SET_CHILD_SUBREAPER)", code: errno)
        }
    }

    /// `PR_SET_PDEATHSIG`: this process is killed when the thread that started it ends.
    package static func endWithParent() throws(SystemError) {
        guard petrel_syscall(Int(SYS_prctl), 1, Int(SIGKILL), 0, 0, 0, 0) == 0 else {
            throw SystemError("prctl(PR_SET_PDEATHSIG)", code: errno)
        }
    }
}

/// Limits of this process and of the children it starts.
package enum ResourceLimits {
    /// The kernel's number of the limit on open descriptors (RLIMIT_NOFILE).
    package static let openFiles: Int32 = 7
    private static let variable = "PETREL_OPEN_FILES"

    /// Raises the number of open descriptors to what is allowed at most.
    ///
    /// Programs of others must not have that limit: some count up to it, and select(2) fails beyond 1024. So it says what
    /// they should have in this process's environment, unless a process that started this one did.
    package static func raiseOpenFiles() throws(SystemError) {
        let (soft, hard) = try value(openFiles)
        if SystemEnvironment.value(of: variable) == nil { SystemEnvironment.set(variable, "\(soft)") }
        try set(openFiles, soft: hard, hard: hard)
    }

    /// The soft limit on open descriptors that programs of others should have: what this process had before it, or one
    /// that started it, raised its own.
    package static func originalOpenFiles() throws(SystemError) -> UInt64 {
        if let text = SystemEnvironment.value(of: variable), let number = UInt64(text) { return number }
        return try value(openFiles).soft
    }
}
