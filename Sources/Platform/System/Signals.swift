// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// A signal's number.
package struct Signal: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let hangUp = Signal(rawValue: SIGHUP)
    package static let interrupt = Signal(rawValue: SIGINT)
    package static let quit = Signal(rawValue: SIGQUIT)
    package static let kill = Signal(rawValue: SIGKILL)
    package static let pipe = Signal(rawValue: SIGPIPE)
    package static let terminate = Signal(rawValue: SIGTERM)
    package static let childEnded = Signal(rawValue: SIGCHLD)
    package static let windowChanged = Signal(rawValue: SIGWINCH)
    package static let user1 = Signal(rawValue: SIGUSR1)
    package static let user2 = Signal(rawValue: SIGUSR2)
}

/// Signals as events: blocked, and read from a descriptor (signalfd(2)).
package struct SignalQueue: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Blocks `signals` in the calling thread (and in threads it starts later), and makes a non-blocking queue of them.
    package init(_ signals: [Signal]) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal.rawValue) }
        guard pthread_sigmask(SIG_BLOCK, &set, nil) == 0 else {
            throw SystemError("pthread_sigmask", code: EINVAL)
        }
        // The kernel's signal set is 8 bytes, bit N-1 for signal N; the C library's type is longer.
        var mask: UInt64 = 0
        for signal in signals { mask |= 1 << UInt64(signal.rawValue - 1) }
        let flags = O_CLOEXEC | O_NONBLOCK
        let raw = petrel_signalfd(&mask, flags)
        guard raw >= 0 else { throw SystemError("signalfd4", code: errno) }
        descriptor = Descriptor(adopting: raw)
    }

    /// For poll.
    package var raw: Int32 { descriptor.raw }

    /// The next signal; nil when none waits.
    package func next() throws(SystemError) -> Signal? {
        // signalfd_siginfo: 128 bytes that begin with the number, u32.
        var record = [UInt8](repeating: 0, count: 128)
        while true {
            let count = Glibc.read(raw, &record, record.count)
            let code = errno
            if count == record.count {
                let number = record.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
                return Signal(rawValue: Int32(bitPattern: number))
            }
            if code == EAGAIN { return nil }
            guard code == EINTR else { throw SystemError("read", path: "signalfd", code: code) }
        }
    }
}

extension Signal {
    /// Sets the signal's action to "ignore" for the process.
    package func ignore() { _ = Glibc.signal(rawValue, SIG_IGN) }

    /// kill(2).
    /// - Throws: `ESRCH` when there is no such process.
    package func send(to pid: Int32) throws(SystemError) {
        guard Glibc.kill(pid, rawValue) == 0 else { throw SystemError("kill", path: "\(pid)", code: errno) }
    }
}
