// SPDX-License-Identifier: Apache-2.0
internal import NIOCore

/// Runs tasks on the event loop: what they say to a connection, and what it says to them, needs no other thread to wake
/// up.
///
/// Only for tasks that never hold up the loop: all connections wait meanwhile.
package final class LoopExecutor: TaskExecutor {
    package static let shared = LoopExecutor(EventLoops.all.next())

    private let loop: any EventLoop

    private init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
