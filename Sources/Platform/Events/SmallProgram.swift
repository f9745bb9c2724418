// SPDX-License-Identifier: Apache-2.0
package import System

/// Keeps a daemon that has nothing to do as small as it can be: what its last work has brought into memory is let go of a few
/// seconds after that work.
package enum SmallProgram {
    private static let pauseNanos: Int64 = 1_000_000_000

    /// When the program starts: all threads share two heaps from now on. Each that has begun with one of its own keeps it, and
    /// what is free in it.
    package static func begin() { ProgramMemory.shareHeaps(2) }

    /// From now on, for as long as the process lives. On a thread of its own, which needs next to none of the program's code
    /// to look: what is looked after by a task brings in again what was let go of.
    /// - Throws: `EAGAIN` where there is no room for a thread.
    package static func keep() throws(SystemError) {
        try Threads.start {
            var work = Work(.now)
            while true {
                Clock.sleep(nanos: pauseNanos)
                guard work.isOver(.now) else { continue }
                ProgramMemory.releaseFree()
                ProgramMemory.releaseCode()
                work.begin(.now)
            }
        }
    }

    /// What a process has used so far.
    package struct Usage: Hashable, Sendable {
        package let processorNanos: Int64
        /// As `ProgramMemory.faults`.
        package let faults: Int

        package init(processorNanos: Int64, faults: Int) {
            self.processorNanos = processorNanos
            self.faults = faults
        }

        package static var now: Usage {
            Usage(processorNanos: Clock.processorNanos, faults: ProgramMemory.faults)
        }
    }

    /// Tells when a program has worked and stopped: by the processor's time whether it works, by what it has brought into
    /// memory whether that is worth letting go of. A pure value.
    package struct Work: Hashable, Sendable {
        /// As much as looking costs, and what one timer or another does.
        private static let idleNanos: Int64 = 1_000_000
        /// Less is what looking itself brings in, and the letting go. Of the program that is up to 1.25 MiB.
        private static let enoughFaults = 20

        private var last: Usage
        private var faultsSinceRelease = enoughFaults

        package init(_ usage: Usage) { last = usage }

        /// All was let go of, and what that needed itself is back.
        package mutating func begin(_ usage: Usage) {
            last = usage
            faultsSinceRelease = 0
        }

        /// To be asked every few seconds.
        package mutating func isOver(_ usage: Usage) -> Bool {
            let used = usage.processorNanos - last.processorNanos
            faultsSinceRelease += usage.faults - last.faults
            last = usage
            guard used < Self.idleNanos, faultsSinceRelease >= Self.enoughFaults else { return false }
            faultsSinceRelease = 0
            return true
        }
    }
}
