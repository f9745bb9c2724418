// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// A descriptor that is readable from a moment of boot time on (timerfd).
package struct BootTimer: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// One that is not set.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
    package init() throws(SystemError) {
        // TFD_CLOEXEC and TFD_NONBLOCK are these.
        let raw = petrel_timerfd_create(CLOCK_BOOTTIME, O_CLOEXEC | O_NONBLOCK)
        guard raw >= 0 else { throw SystemError("timerfd_create", code: errno) }
        descriptor = Descriptor(adopting: raw)
    }

    /// What is to be watched.
    package var raw: Int32 { descriptor.raw }

    /// In place of what was set before; a moment that has passed counts at once.
    /// - Parameter nanos: Of boot time, more than zero: the kernel takes any such.
    package func set(bootNanos nanos: Int64) throws(SystemError) {
        let when = [0, 0, nanos / 1_000_000_000, nanos % 1_000_000_000]
        guard petrel_timerfd_settime(raw, when) == 0 else {
            throw SystemError("timerfd_settime", code: errno)
        }
    }

    /// It is not readable any more, until its moment comes again. Never waits.
    package func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(raw, &count, MemoryLayout<UInt64>.size)
    }
}
