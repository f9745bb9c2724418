// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// A connection that is being made, and the calls that wait for it. It is settled once.
final class PendingConnection: Sendable {
    /// Not the library's result: of a type that is new to it the runtime asks whether its error is one, which costs a program's
    /// start 50 µs.
    enum Outcome {
        case ready(Mailbox)
        case failed(RPCError)
    }

    private struct State {
        var outcome: Outcome?
        var waiters = WaitList()
    }

    private let state: Mutex<State>

    /// - Parameter outcome: Where it is known already.
    init(_ outcome: Outcome? = nil) { state = Mutex(State(outcome: outcome)) }

    /// The first outcome counts.
    func settle(_ outcome: Outcome) {
        let waiters = state.withLock { state -> WaitList.Waiters in
            guard state.outcome == nil else { return .none }
            state.outcome = outcome
            return state.waiters.takeAll()
        }
        waiters.resume()
    }

    /// Waits until it is settled.
    /// - Throws: Why there is no connection; `.deadlineExceeded`, `.cancelled`.
    func mailbox(deadline: Deadline?) async throws(RPCError) -> Mailbox {
        let ticket = state.withLock { $0.waiters.ticket() }
        let timer = deadline.map { deadline in
            EventLoop.shared.schedule(atBootNanos: deadline.bootNanos) { [self] in stopWaiting(ticket) }
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { $0.outcome == nil && $0.waiters.add(waiter, ticket) }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            stopWaiting(ticket)
        }
        if let timer { EventLoop.shared.cancel(timer) }
        let outcome = state.withLock { state in
            state.waiters.forget(ticket)
            return state.outcome
        }
        switch outcome {
        case .ready(let mailbox): return mailbox
        case .failed(let error): throw error
        case nil where Task.isCancelled: throw RPCError(.cancelled, "the task was cancelled")
        case nil:
            throw RPCError(.deadlineExceeded, "the deadline has passed before there was a connection")
        }
    }

    private func stopWaiting(_ ticket: Int) {
        let waiter = state.withLock { $0.waiters.cancel(ticket) }
        waiter?.resume()
    }
}
