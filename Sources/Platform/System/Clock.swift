// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The kernel's clocks, in nanoseconds. Deadlines and back-off use boot time; wall time is for people.
package enum Clock {
    /// Time since boot, time asleep included.
    package static var bootNanos: Int64 { read(CLOCK_BOOTTIME) }
    /// Time since 1970, UTC.
    package static var wallNanos: Int64 { read(CLOCK_REALTIME) }

    /// The processor's time that all threads of this process have used.
    package static var processorNanos: Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    /// Boot time after `time` from now, at most 250 years.
    package static func bootNanos(after time: Duration) -> Int64 {
        let most: Int64 = 250 * 365 * 86400
        let (seconds, attoseconds) = time.components
        return bootNanos + min(max(seconds, -most), most) * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// For poll(2) and its like: milliseconds from now, rounded up, so that the deadline has passed when the wait ends.
    static func millis(untilBootNanos deadline: Int64) -> Int32 {
        Int32(clamping: (max(0, deadline - bootNanos) + 999_999) / 1_000_000)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
