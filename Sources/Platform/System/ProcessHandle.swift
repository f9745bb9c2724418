// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// A process by descriptor (pidfd): names it for ever, whatever becomes of its number.
///
/// Readable in `poll` once the process has ended. The numbers of these calls are the same on every architecture.
package enum ProcessHandle {
    /// pidfd_open(2).
    /// - Throws: `ESRCH` when there is no such process.
    package static func open(_ pid: Int32) throws(SystemError) -> Descriptor {
        let raw = petrel_syscall(434, Int(pid), 0, 0, 0, 0, 0)
        guard raw >= 0 else { throw SystemError("pidfd_open", path: "\(pid)", code: errno) }
        return Descriptor(adopting: Int32(raw))
    }

    /// pidfd_send_signal(2).
    /// - Throws: `ESRCH` when it was reaped.
    package static func signal(_ process: Int32, _ signal: Signal) throws(SystemError) {
        guard petrel_syscall(424, Int(process), Int(signal.rawValue), 0, 0, 0, 0) == 0 else {
            throw SystemError("pidfd_send_signal", code: errno)
        }
    }

    /// pidfd_getfd(2): a copy of the process's descriptor, close-on-exec.
    /// - Throws: `EBADF` when it has none of that number, `ESRCH` when it has ended, `EPERM` without ptrace rights.
    package static func descriptor(_ number: Int32, of process: Int32) throws(SystemError) -> Descriptor {
        let raw = petrel_syscall(438, Int(process), Int(number), 0, 0, 0, 0)
        guard raw >= 0 else { throw SystemError("pidfd_getfd", code: errno) }
        return Descriptor(adopting: Int32(raw))
    }

    /// The wait status of a process that was reaped, by whomever; nil when it was not yet, or the kernel (before 6.15)
    /// cannot tell.
    package static func waitStatus(_ process: Int32) -> Int32? {
        // struct pidfd_info, 64 bytes: u64 mask; …; at 60 the exit code, valid when bit 3 of the mask comes back.
        var record = [UInt64](repeating: 0, count: 8)
        record[0] = 1 << 3
        let request: UInt = 3 << 30 | 64 << 16 | 0xff << 8 | 11
        guard petrel_ioctl(process, request, &record) == 0, record[0] & (1 << 3) != 0 else { return nil }
        return Int32(truncatingIfNeeded: record[7] >> 32)
    }
}

extension UnixSocket {
    /// Whether an open descriptor is a listening socket (SO_ACCEPTCONN).
    package static func isListening(_ socket: Int32) -> Bool {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1
    }
}
