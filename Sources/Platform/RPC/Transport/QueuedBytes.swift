// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// How much waits to be sent on a server's connection, of all its calls: what a client that does not read makes this process hold.
final class QueuedBytes: Sendable {
    /// Beyond this, writers wait, whatever their own call has queued.
    static let limit = 64 << 20

    private struct State {
        var bytes = 0
        var writers = WaitList()
    }

    private let state = Mutex(State())

    var isFull: Bool { state.withLock { $0.bytes >= Self.limit } }

    func add(_ count: Int) { state.withLock { $0.bytes += count } }

    func remove(_ count: Int) {
        guard count > 0 else { return }
        let writers = state.withLock { state -> WaitList.Waiters in
            let wasFull = state.bytes >= Self.limit
            state.bytes -= count
            return wasFull && state.bytes < Self.limit ? state.writers.takeAll() : .none
        }
        writers.resume()
    }

    /// Returns when there may be room, or the task is cancelled.
    func waitForRoom() async {
        let ticket = state.withLock { $0.writers.ticket() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { state in
                    state.bytes >= Self.limit && state.writers.add(waiter, ticket)
                }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.writers.cancel(ticket) }?.resume()
        }
        state.withLock { $0.writers.forget(ticket) }
    }
}
