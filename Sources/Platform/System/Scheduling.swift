// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// How the kernel shares the processors out: sched_setattr(2), setpriority(2).
package enum Scheduling {
    /// The shortest turn that the kernel takes.
    package static let shortTurnNanos: UInt64 = 100_000

    /// struct sched_attr, first version: size, policy, flags, nice, priority, runtime, deadline, period.
    private static let recordSize = 48
    private static let runtimeOffset = 24

    /// Asks for short turns, for this thread and for what it starts: whoever mostly waits is then let in before those that
    /// compute, and has no larger share for that (Linux 6.12; earlier kernels change nothing).
    ///
    /// An operation goes through several daemons; beside busy containers each of its steps would wait for a turn to end.
    /// - Throws: where the kernel has no such call, or a filter refuses it.
    package static func preferShortTurns() throws(SystemError) { try setTurn(nanos: shortTurnNanos) }

    /// The kernel's own turns again.
    package static func useUsualTurns() throws(SystemError) { try setTurn(nanos: 0) }

    /// The turn of a thread (0: this one), in ns; 0 where the kernel has none.
    package static func turnNanos(of thread: Int32 = 0) throws(SystemError) -> UInt64 {
        try attributes(of: thread).withUnsafeBytes { $0.load(fromByteOffset: runtimeOffset, as: UInt64.self) }
    }

    /// Gives this thread the nice value that the first thread of its process's parent has.
    ///
    /// A process inherits the value of the thread that starts it, and libdispatch has values of its own for the threads that
    /// it makes: only the first thread still has the one that the parent was started with.
    /// - Throws: `ENOENT` or `ESRCH` where the parent cannot be seen; as `setNice`.
    package static func takeNiceOfParent() throws(SystemError) {
        try setNice(try ProcessStatus(of: getppid()).nice)
    }

    /// setpriority(2) for one thread.
    /// - Parameter nice: From -20 to 19; the kernel takes the nearest of these for another.
    /// - Parameter thread: 0: this one.
    /// - Throws: `EACCES` for a lower value than before without CAP_SYS_NICE; `EPERM` for a thread of another user; `ESRCH`
    ///   when there is none.
    package static func setNice(_ nice: Int32, of thread: Int32 = 0) throws(SystemError) {
        let ofOneThread = 0  // PRIO_PROCESS
        // The system call: the C library's function has an enumeration's type for its first argument, or none.
        let result = petrel_syscall(Int(SYS_setpriority), ofOneThread, Int(thread), Int(nice), 0, 0, 0)
        let code = errno
        guard result == 0 else { throw SystemError("setpriority", code: code) }
    }

    /// Everything else stays as it is.
    private static func setTurn(nanos: UInt64) throws(SystemError) {
        var record = try attributes(of: 0)
        // SCHED_OTHER and SCHED_BATCH; elsewhere the number means something else.
        let policy = record.withUnsafeBytes { $0.load(fromByteOffset: 4, as: UInt32.self) }
        guard policy == 0 || policy == 3 else { return }
        let result = record.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: nanos, toByteOffset: runtimeOffset, as: UInt64.self)
            return petrel_syscall(Int(SYS_sched_setattr), 0, Int(bitPattern: bytes.baseAddress), 0, 0, 0, 0)
        }
        let code = errno
        guard result == 0 else { throw SystemError("sched_setattr", code: code) }
    }

    private static func attributes(of thread: Int32) throws(SystemError) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: recordSize)
        let result = record.withUnsafeMutableBytes { bytes in
            petrel_syscall(
                Int(SYS_sched_getattr),
                Int(thread),
                Int(bitPattern: bytes.baseAddress),
                recordSize,
                0,
                0,
                0
            )
        }
        let code = errno
        guard result == 0 else { throw SystemError("sched_getattr", code: code) }
        return record
    }
}
