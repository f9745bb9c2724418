// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// A task on the event loop that runs quick handlers one after the other, as long as none of them has to wait: those of calls
/// that came together share it.
///
/// On the loop only.
final class Worker {
    struct Work {
        let call: CallStream
        let method: ServedMethod
    }

    private let role: ServerRole
    private var task: Task<Void, Never>?
    /// Whose handler runs.
    private var call: CallStream?

    private init(_ role: ServerRole) { self.role = role }

    /// Returns when no request is left, or a handler waits.
    static func start(with work: Work, for role: ServerRole) {
        let bound = EventLoop.Bound((worker: Worker(role), work: work))
        let task = Task.immediate(executorPreference: EventLoop.shared) {
            await bound.value.worker.run(bound.value.work)
        }
        bound.value.worker.task = task
    }

    private func run(_ first: Work) async {
        var next: Work? = first
        var start = Clock.bootNanos
        while let work = next {
            call = work.call
            work.call.record.runner = .worker(self)
            start = await role.dispatcher.serve(work.method, work.call, since: start)
            call = nil
            // All that came together is taken before anything else runs: to a handler that had to wait, and may have been
            // cancelled, nothing is left.
            next = role.nextQuick()
        }
    }

    /// Cancels the handler of `call`, if it runs.
    func cancel(_ call: CallStream) { if call === self.call { task?.cancel() } }
}
