// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import Synchronization

/// Runs tasks on the event loop: what they say to a connection, and what it says to them, needs no other thread to wake
/// up.
///
/// Only for tasks that never hold up the loop: all connections wait meanwhile.
package final class LoopExecutor: TaskExecutor {
    package static let shared = LoopExecutor(EventLoops.all.next())

    private struct State {
        var jobs: [UnownedJob] = []
        var isScheduled = false
    }

    private let loop: any EventLoop
    private let state = Mutex(State())
    /// The loop looks after its connections at least so often.
    private static let jobsAtOnce = 256

    private init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let schedule = state.withLock { state in
            state.jobs.append(job)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedule { loop.execute { self.runJobs() } }
    }

    /// On the loop: runs what has been queued, and what that queues, up to a bound.
    private func runJobs() {
        var count = 0
        var batch: [UnownedJob] = []
        while count < Self.jobsAtOnce {
            batch.removeAll(keepingCapacity: true)
            state.withLock { state in
                swap(&state.jobs, &batch)
                if batch.isEmpty { state.isScheduled = false }
            }
            guard !batch.isEmpty else { return }
            count += batch.count
            for job in batch { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
        loop.execute { self.runJobs() }
    }
}
