// SPDX-License-Identifier: Apache-2.0
internal import System

/// When a call's time is up, in nanoseconds of boot time.
///
/// Not an instant of a clock of the standard library: their size is not known before the program runs, which would make
/// everything that holds one slow to copy.
package struct Deadline: Hashable, Comparable, Sendable {
    /// Of boot time.
    let bootNanos: Int64

    private init(bootNanos: Int64) { self.bootNanos = bootNanos }

    /// So much from now; nil: never, as for anything beyond 200 years.
    package static func after(_ time: Duration) -> Deadline? {
        guard time < .seconds(200 * 365 * 86400) else { return nil }
        return Deadline(bootNanos: Clock.bootNanos(after: max(time, .zero)))
    }

    package static func < (one: Deadline, other: Deadline) -> Bool { one.bootNanos < other.bootNanos }

    /// At least zero.
    package var remainingNanos: Int64 { max(0, bootNanos - Clock.bootNanos) }

    /// At least zero.
    package var remaining: Duration { .nanoseconds(remainingNanos) }
}
