// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import Synchronization

/// Runs tasks on the event loop, and carries out what they and others tell the connections: what tasks say to a
/// connection, and what it says to them, needs no other thread to wake up, and no further pass of the loop.
///
/// Only for tasks that never hold up the loop: all connections wait meanwhile.
package final class LoopExecutor: TaskExecutor {
    package static let shared = LoopExecutor(EventLoops.all.next())

    private struct State {
        var jobs: [UnownedJob] = []
        /// Whose connections have something to do.
        var mailboxes: [Mailbox] = []
        var isScheduled = false
    }

    private let loop: any EventLoop
    private let state = Mutex(State())
    /// On the loop: empty lists, kept for their memory.
    nonisolated(unsafe) private var spare: (jobs: [UnownedJob], mailboxes: [Mailbox]) = ([], [])
    /// On the loop: whose connections were told something by what runs just now.
    nonisolated(unsafe) private var due: [Mailbox] = []
    nonisolated(unsafe) private var isRunning = false
    /// The loop looks after its connections at least so often.
    private static let jobsAtOnce = 256
    /// For so long, which is long enough for it to look.
    static let rest = TimeAmount.microseconds(50)
    /// Lists are not kept for their memory beyond what a busy connection needs.
    private static let keptCount = 1024

    private init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        add { $0.jobs.append(job) }
    }

    /// What is in the mailbox is carried out soon.
    func deliver(_ mailbox: Mailbox) { add { $0.mailboxes.append(mailbox) } }

    /// The same, on the loop.
    func deliverHere(_ mailbox: Mailbox) {
        if isRunning { due.append(mailbox) } else { deliver(mailbox) }
    }

    private func add(_ body: (inout State) -> Void) {
        let schedule = state.withLock { state in
            body(&state)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedule { loop.execute { self.run() } }
    }

    /// On the loop: what `body` makes ready runs when it is done, at once.
    func turn<Result>(_ body: () throws -> Result) rethrows -> Result {
        state.withLock { $0.isScheduled = true }
        isRunning = true
        defer { run() }
        return try body()
    }

    /// On the loop: runs what is ready, and what that makes ready, up to a bound.
    private func run() {
        isRunning = true
        defer { isRunning = false }
        var count = 0
        var (jobs, mailboxes): ([UnownedJob], [Mailbox]) = ([], [])
        swap(&jobs, &spare.jobs)
        swap(&mailboxes, &spare.mailboxes)
        defer { spare = jobs.capacity <= Self.keptCount ? (jobs, mailboxes) : ([], []) }
        while count < Self.jobsAtOnce {
            jobs.removeAll(keepingCapacity: true)
            mailboxes.removeAll(keepingCapacity: true)
            state.withLock { state in
                swap(&state.jobs, &jobs)
                swap(&state.mailboxes, &mailboxes)
                if jobs.isEmpty, mailboxes.isEmpty, due.isEmpty { state.isScheduled = false }
            }
            guard !jobs.isEmpty || !mailboxes.isEmpty || !due.isEmpty else { return }
            count += jobs.count + mailboxes.count
            // First those that tell a connection something: it tells its peer all of that at once.
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if !due.isEmpty { mailboxes += due }
            due.removeAll(keepingCapacity: true)
            for mailbox in mailboxes { mailbox.deliver() }
        }
        let isDone = state.withLock { state in
            state.isScheduled = !state.jobs.isEmpty || !state.mailboxes.isEmpty || !due.isEmpty
            return !state.isScheduled
        }
        if !isDone { loop.scheduleTask(in: Self.rest) { self.run() } }
    }
}
