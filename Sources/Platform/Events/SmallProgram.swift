// SPDX-License-Identifier: Apache-2.0
package import System

/// Keeps a daemon that has nothing to do as small as it can be: what its last work has brought into memory is let go of a few
/// seconds after that work.
package enum SmallProgram {
    private static let pauseNanos: Int64 = 2_000_000_000

    /// From now on, for as long as the process lives. On a thread of its own, which needs next to none of the program's code
    /// to look: what is looked after by a task brings in again what was let go of.
    /// - Throws: `EAGAIN` where there is no room for a thread.
    package static func keep() throws(SystemError) {
        try Threads.start {
            var work = Work(usedNanos: Clock.processorNanos)
            while true {
                Clock.sleep(nanos: pauseNanos)
                guard work.isOver(usedNanos: Clock.processorNanos) else { continue }
                ProgramMemory.releaseFree()
                ProgramMemory.releaseCode()
            }
        }
    }

    /// Tells by the processor's time when a program has worked and stopped. A pure value.
    package struct Work: Hashable, Sendable {
        /// As much as looking costs, and what one timer or another does.
        private static let idleNanos: Int64 = 1_000_000
        /// Less brings in less than it costs to let go of.
        private static let enoughNanos: Int64 = 3_000_000

        private var lastNanos: Int64
        private var sinceRelease: Int64 = enoughNanos

        /// - Parameter usedNanos: The processor's time that the program has used.
        package init(usedNanos: Int64) { lastNanos = usedNanos }

        /// To be asked every few seconds.
        package mutating func isOver(usedNanos: Int64) -> Bool {
            let used = usedNanos - lastNanos
            lastNanos = usedNanos
            sinceRelease += used
            guard used < Self.idleNanos, sinceRelease >= Self.enoughNanos else { return false }
            sinceRelease = 0
            return true
        }
    }
}
