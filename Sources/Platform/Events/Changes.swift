// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Tells any number of waiters that something has changed; what, they look up themselves.
///
/// The version rises with each announcement, so nobody who compares versions misses one.
package final class Changes: Sendable {
    private struct State {
        var version: UInt64 = 0
        var waiters = WaitList()
    }

    private let state = Mutex(State())

    package init() {}

    package var version: UInt64 { state.withLock { $0.version } }

    package func announce() {
        let waiters = state.withLock { state in
            state.version += 1
            return state.waiters.takeAll()
        }
        waiters.resume()
    }

    /// Returns once the version is above `seen`, or at `deadlineNanos` of boot time (nil: rightly endless, ends by
    /// cancellation).
    /// - Throws: `CancellationError`.
    package func wait(beyond seen: UInt64, untilBootNanos deadlineNanos: Int64? = nil) async throws {
        let ticket = state.withLock { $0.waiters.ticket() }
        let timer = deadlineNanos.map { deadlineNanos in
            EventLoop.shared.schedule(atBootNanos: deadlineNanos) { [self] in stopWaiting(ticket) }
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { $0.version <= seen && $0.waiters.add(waiter, ticket) }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            stopWaiting(ticket)
        }
        if let timer { EventLoop.shared.cancel(timer) }
        let hasChanged = state.withLock { state in
            state.waiters.forget(ticket)
            return state.version > seen
        }
        if !hasChanged { try Task.checkCancellation() }
    }

    private func stopWaiting(_ ticket: Int) {
        let waiter = state.withLock { $0.waiters.cancel(ticket) }
        waiter?.resume()
    }
}
