// SPDX-License-Identifier: Apache-2.0
internal import Glibc

extension Clock {
    /// Blocks this thread. For programs with one thread, and threads of the blocking pool.
    package static func sleep(nanos: Int64) {
        var left = timespec(tv_sec: Int(nanos / 1_000_000_000), tv_nsec: Int(nanos % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
    }
}
