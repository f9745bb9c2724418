// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// poll(2), for the single-threaded programs; daemons use module Events.
package enum Poll {
    package struct Interest: OptionSet, Hashable, Sendable {
        package let rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }

        package static let readable = Interest(rawValue: Int16(POLLIN))
        package static let writable = Interest(rawValue: Int16(POLLOUT))
        /// Reported whether asked for or not.
        package static let failed = Interest(rawValue: Int16(POLLERR))
        /// Reported whether asked for or not.
        package static let hungUp = Interest(rawValue: Int16(POLLHUP))
        /// The number is not open. Reported whether asked for or not.
        package static let notOpen = Interest(rawValue: Int16(POLLNVAL))
    }

    /// One descriptor to watch.
    package struct Entry: Sendable {
        package let descriptor: Int32
        package let interest: Interest
        /// What `wait` found.
        package fileprivate(set) var found = Interest()

        package init(_ descriptor: Int32, _ interest: Interest = .readable) {
            self.descriptor = descriptor
            self.interest = interest
        }
    }

    /// Waits until something is found, or until `deadlineNanos` of boot time (nil: for ever).
    ///
    /// Returns early, with nothing found, when a signal arrives.
    package static func wait(_ entries: inout [Entry], deadlineNanos: Int64? = nil) throws(SystemError) {
        var set = entries.map { pollfd(fd: $0.descriptor, events: $0.interest.rawValue, revents: 0) }
        let limit = deadlineNanos.map(Clock.millis(untilBootNanos:)) ?? -1
        let result = Glibc.poll(&set, nfds_t(set.count), limit)
        let code = errno
        guard result >= 0 || code == EINTR else { throw SystemError("poll", code: code) }
        for index in entries.indices {
            entries[index].found = result > 0 ? Interest(rawValue: set[index].revents) : Interest()
        }
    }
}
