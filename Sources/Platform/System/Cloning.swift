// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// What clone3(2) returned: twice, as fork(2) does.
package enum Cloned: ~Copyable {
    case child
    case parent(pid: Int32, process: Descriptor)
}

/// Copies of this process, which must have one thread: the child goes on with everything that this one had.
package enum Cloning {
    /// How a clone names itself (`/proc/PID/comm`) on its way to another program.
    package static let name = "petrel-child"

    /// clone3(2) with a pidfd, SIGCHLD at the end, and new namespaces.
    ///
    /// In the child every Swift value is a copy; it must end with `CurrentProcess.leave` or an execve, and never
    /// return to its caller's callers, or descriptors and files would be cleaned up by both.
    /// - Parameter group: A directory of the cgroup v2 tree in which the child starts.
    package static func clone(_ kinds: NamespaceKinds, into group: Int32? = nil) throws(SystemError) -> Cloned
    {
        var process: Int32 = -1
        let pidfdFlag: UInt64 = 0x1000
        let groupFlag: UInt64 = 0x2_0000_0000
        let (pid, code) = withUnsafeMutablePointer(to: &process) { process -> (Int, Int32) in
            // struct clone_args, 11 words: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
            // set_tid, set_tid_size, cgroup.
            var record = [UInt64](repeating: 0, count: 11)
            record[0] = kinds.rawValue | pidfdFlag | (group == nil ? 0 : groupFlag)
            record[1] = UInt64(UInt(bitPattern: process))
            record[4] = UInt64(SIGCHLD)
            record[10] = UInt64(group ?? 0)
            return record.withUnsafeMutableBytes { record in
                let pid = petrel_syscall(435, Int(bitPattern: record.baseAddress), 88, 0, 0, 0, 0)
                return (pid, errno)
            }
        }
        guard pid >= 0 else { throw SystemError("clone3", code: code) }
        return pid == 0 ? .child : .parent(pid: Int32(pid), process: Descriptor(adopting: process))
    }

    /// CLONE_PARENT | CLONE_PARENT_SETTID.
    static let siblingFlags: UInt64 = 0x10_8000

    /// clone(2) of a child of this process's parent, which is told of its end as of this process's. True in the child.
    ///
    /// The older call, since filters that look at its flags cannot look at those of clone3 and refuse that.
    /// - Parameter number: Gets the child's number in this process's namespace, before the child runs: whatever
    ///   becomes of this process, who shares the number knows of the child.
    package static func sibling(_ number: SharedNumber) throws(SystemError) -> Bool {
        try clone(siblingFlags, number: Int(bitPattern: number.address))
    }

    /// As above, of a child that makes itself known.
    package static func sibling() throws(SystemError) -> Bool {
        // CLONE_PARENT.
        try clone(0x8000, number: 0)
    }

    private static func clone(_ flags: UInt64, number: Int) throws(SystemError) -> Bool {
        // The first three arguments have the same order on every architecture: flags, stack, number.
        let pid = petrel_syscall(Int(SYS_clone), Int(flags), 0, number, 0, 0, 0)
        guard pid >= 0 else { throw SystemError("clone", code: errno) }
        return pid == 0
    }
}

/// The numbered table of descriptors of this process, for a child that prepares to execute a program.
package enum DescriptorTable {
    /// dup3(2): makes `target` a copy of `source` that stays open over execve.
    package static func place(_ source: Int32, at target: Int32) throws(SystemError) {
        guard source != target else {
            guard petrel_fcntl(source, F_SETFD, 0) == 0 else {
                throw SystemError("fcntl(F_SETFD)", code: errno)
            }
            return
        }
        guard petrel_syscall(Int(SYS_dup3), Int(source), Int(target), 0, 0, 0, 0) >= 0 else {
            throw SystemError("dup3", code: errno)
        }
    }

    /// A copy with a number of at least `minimum`, close-on-exec, which nobody owns.
    package static func copy(_ source: Int32, atLeast minimum: Int32) throws(SystemError) -> Int32 {
        let raw = petrel_fcntl(source, F_DUPFD_CLOEXEC, Int(minimum))
        guard raw >= 0 else { throw SystemError("fcntl(F_DUPFD_CLOEXEC)", code: errno) }
        return raw
    }

    /// close_range(2) around the numbers to keep: every other one from 3 up is closed.
    package static func closeAll(except kept: [Int32]) throws(SystemError) {
        var next: UInt32 = 3
        for number in kept.sorted() where number >= next {
            let number = UInt32(number)
            if number > next { try close(next, number - 1) }
            next = number + 1
        }
        try close(next, .max)
    }

    private static func close(_ first: UInt32, _ last: UInt32) throws(SystemError) {
        guard petrel_syscall(436, Int(first), Int(last), 0, 0, 0, 0) == 0 else {
            throw SystemError("close_range", code: errno)
        }
    }
}
