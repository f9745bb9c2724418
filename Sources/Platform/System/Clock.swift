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

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
