// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// epoll(7): many descriptors watched at once, each for one report (EPOLLONESHOT), or for as many as there are.
package struct Epoll: ~Copyable, Sendable {
    package struct Interest: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let readable = Interest(rawValue: 0x001)
        package static let writable = Interest(rawValue: 0x004)
        /// Reported whether asked for or not.
        package static let failed = Interest(rawValue: 0x008)
        /// Reported whether asked for or not.
        package static let hungUp = Interest(rawValue: 0x010)

        // What an array literal of these costs is more than the rest of a look at a socket.

        package var isReadable: Bool { rawValue & Self.readable.rawValue != 0 }
        package var isWritable: Bool { rawValue & Self.writable.rawValue != 0 }
        /// The other side is gone.
        package var isOver: Bool { rawValue & (Self.failed.rawValue | Self.hungUp.rawValue) != 0 }
    }

    /// What was found on the descriptor that was added with `token`.
    package struct Report: Sendable {
        package let token: UInt64
        package let found: Interest
    }

    private static let oneShot: UInt32 = 1 << 30
    private let descriptor: Descriptor

    package init() throws(SystemError) {
        let raw = epoll_create1(O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("epoll_create1", code: errno) }
        descriptor = Descriptor(adopting: raw)
    }

    /// Watches a descriptor number until it is removed; after its one report it is silent.
    /// - Throws: `EEXIST` when the number is watched already, `EPERM` for regular files.
    package func add(_ watched: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control("epoll_ctl(ADD)", EPOLL_CTL_ADD, watched, interest.rawValue | Self.oneShot, token)
    }

    /// Watches a descriptor number until it is removed; it is reported as long as it is ready.
    /// - Throws: `EEXIST` when the number is watched already, `EPERM` for regular files.
    package func watch(_ watched: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control("epoll_ctl(ADD)", EPOLL_CTL_ADD, watched, interest.rawValue, token)
    }

    /// What is watched from now on, as by `watch`.
    /// - Throws: `ENOENT` when the number is not watched.
    package func change(_ watched: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control("epoll_ctl(MOD)", EPOLL_CTL_MOD, watched, interest.rawValue, token)
    }

    private func control(
        _ name: StaticString,
        _ operation: Int32,
        _ watched: Int32,
        _ events: UInt32,
        _ token: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        guard epoll_ctl(descriptor.raw, operation, watched, &event) == 0 else {
            throw SystemError("\(name)", code: errno)
        }
    }

    /// Forgets a descriptor number. To be called before it is closed.
    package func remove(_ watched: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(descriptor.raw, EPOLL_CTL_DEL, watched, &event)
    }

    /// Blocks until something is found, or until `deadlineNanos` of boot time (nil: for ever), and tells `body` what: at most 64
    /// reports, none when the time was up, or a signal came.
    package func wait(
        untilBootNanos deadlineNanos: Int64? = nil,
        _ body: (Report) -> Void
    ) throws(SystemError) {
        let limit = deadlineNanos.map(Clock.millis(untilBootNanos:)) ?? -1
        let code = withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events -> Int32 in
            let count = epoll_wait(descriptor.raw, events.baseAddress, Int32(events.count), limit)
            guard count >= 0 else { return errno }
            for event in events[..<Int(count)] {
                body(Report(token: event.data.u64, found: Interest(rawValue: event.events)))
            }
            return 0
        }
        guard code == 0 || code == EINTR else { throw SystemError("epoll_wait", code: code) }
    }
}
