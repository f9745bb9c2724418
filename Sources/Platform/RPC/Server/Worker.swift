// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// A task on the event loop that runs quick handlers one after the other, as long as none of them has to wait: those of calls
/// that came together share it.
///
/// On the loop only. The tasks of all handlers begin here: they are not structured, but belong to a connection, which cancels them.
final class Worker {
    private let role: ServerRole
    private var task: Task<Void, Never>?
    private var first: CallStream?
    /// Whose handler runs.
    private var call: CallStream?

    private init(_ role: ServerRole, _ first: CallStream) {
        self.role = role
        self.first = first
    }

    /// Begins with `call`, and goes on with what the role has besides. Returns when nothing is left, or a handler waits.
    static func start(with call: CallStream, for role: ServerRole) {
        // No more than the worker: the task would keep it as long as its last call.
        let bound = EventLoop.Bound(Worker(role, call))
        let task = Task.immediate(executorPreference: EventLoop.shared) { await bound.value.run() }
        // It waits. Before that nobody could ask for who runs it, and it is the worker's last.
        guard let call = bound.value.call else { return }
        bound.value.task = task
        call.record.runner = .worker(bound.value)
    }

    /// Starts a handler that is not quick, in the shared pool.
    static func startApart(_ call: CallStream, _ dispatcher: Dispatcher) {
        call.record.runner = .task(Task { _ = await dispatcher.serve(call, since: Clock.bootNanos) })
    }

    private func run() async {
        var next = first.take()
        var start = Clock.bootNanos
        while let call = next {
            self.call = call
            start = await role.dispatcher.serve(call, since: start)
            assert(EventLoop.shared.isCurrent)
            self.call = nil
            // All that came together is taken before anything else runs: to a handler that had to wait, and may have been
            // cancelled, nothing is left.
            next = role.startUpToNextQuick()
        }
    }

    /// Cancels the handler of `call`, if it runs.
    func cancel(_ call: CallStream) { if call === self.call { task?.cancel() } }
}
