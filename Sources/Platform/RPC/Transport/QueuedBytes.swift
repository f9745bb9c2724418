// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// How much waits to be sent on a server's connection, of all its calls: what a client that does not read makes this process hold.
final class QueuedBytes: Sendable {
    /// Beyond this, writers wait, whatever their own call has queued.
    static let limit = 64 << 20

    private let bytes = Atomic(0)
    private let writers = Mutex(WaitList())

    var isFull: Bool { bytes.load(ordering: .relaxed) >= Self.limit }

    func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }

    func remove(_ count: Int) {
        let change = bytes.subtract(count, ordering: .sequentiallyConsistent)
        if change.oldValue >= Self.limit, change.newValue < Self.limit { wakeWriters() }
    }

    @inline(never)
    private func wakeWriters() {
        let waiters = writers.withLock { $0.takeAll() }
        waiters.resume()
    }

    /// Returns when there may be room, or the task is cancelled.
    func waitForRoom() async {
        let ticket = writers.withLock { $0.ticket() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                // Who makes room looks for writers after that.
                let waits = writers.withLock { writers in
                    bytes.load(ordering: .sequentiallyConsistent) >= Self.limit && writers.add(waiter, ticket)
                }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            writers.withLock { $0.cancel(ticket) }?.resume()
        }
        writers.withLock { $0.forget(ticket) }
    }
}
