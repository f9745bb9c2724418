// SPDX-License-Identifier: Apache-2.0
package import System

/// A thread of its own for an actor whose work blocks (fsync, flock), so that it holds up nobody in the
/// shared pool.
///
/// Several actors may share one; each is still isolated from the others by the language. Tasks that mostly call such an
/// actor are started with it as their preference: between the calls they then stay on the thread.
package final class SerialThread: SerialExecutor, TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var isEnding = false
    }

    private let queue = Monitor(Queue())

    /// Starts the thread.
    package init() throws(SystemError) {
        let queue = queue
        try Threads.start { [weak self] in
            while true {
                let jobs: [UnownedJob]? = queue.wait { state in
                    if !state.jobs.isEmpty {
                        defer { state.jobs = [] }
                        return .some(state.jobs)
                    }
                    return state.isEnding ? .some(nil) : nil
                }
                guard let jobs, let self else { return }
                for job in jobs {
                    job.runSynchronously(
                        isolatedTo: self.asUnownedSerialExecutor(),
                        taskExecutor: self.asUnownedTaskExecutor()
                    )
                }
            }
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    deinit { queue.withLock { $0.isEnding = true } }
}
