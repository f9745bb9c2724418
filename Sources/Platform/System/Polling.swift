// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// poll(2), for synchronous code.
package enum Polling {
    /// What a descriptor is ready for.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }

        package static let readable = Readiness(rawValue: Int16(POLLIN))
        package static let writable = Readiness(rawValue: Int16(POLLOUT))
        /// Always reported: the other side is gone (a pidfd: the process was reaped).
        package static let hungUp = Readiness(rawValue: Int16(POLLHUP))
        /// Always reported.
        package static let failed = Readiness(rawValue: Int16(POLLERR))
    }

    /// Waits until `descriptor` is ready for one of `wanted`, hung up or failed.
    /// - Parameter milliseconds: Longest wait; -1 for ever, 0 not at all.
    /// - Returns: What it is ready for; empty when the time is over.
    package static func wait(
        for wanted: Readiness,
        on descriptor: Int32,
        milliseconds: Int32
    ) throws(SystemError) -> Readiness {
        var entry = pollfd(fd: descriptor, events: wanted.rawValue, revents: 0)
        let deadline = milliseconds < 0 ? Int64.max : Clock.bootNanos + Int64(milliseconds) * 1_000_000
        var left = milliseconds
        while true {
            let count = poll(&entry, 1, left)
            if count >= 0 { return Readiness(rawValue: entry.revents) }
            let code = errno
            guard code == EINTR else { throw SystemError("poll", code: code) }
            if milliseconds >= 0 { left = Int32(max(0, (deadline - Clock.bootNanos) / 1_000_000)) }
        }
    }

    /// Does nothing for some time.
    package static func pause(milliseconds: Int32) { _ = poll(nil, 0, milliseconds) }
}
