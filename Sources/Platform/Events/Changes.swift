// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Tells any number of waiters that something has changed; what, they look up themselves.
///
/// The version rises with each announcement, so nobody who compares versions misses one.
package final class Changes: Sendable {
    private struct State {
        var version: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        /// Waiters whose cancellation came before their continuation.
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    package var version: UInt64 { state.withLock { $0.version } }

    package func announce() {
        let waiting = state.withLock { state in
            state.version += 1
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns once the version is above `seen`.
    /// - Throws: `CancellationError`.
    package func wait(beyond seen: UInt64) async throws {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if state.version > seen { return .success(()) }
                    state.waiters[number] = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                let waiting = state.waiters.removeValue(forKey: number)
                if waiting == nil { state.cancelled.insert(number) }
                return waiting
            }
            waiting?.resume(throwing: CancellationError())
        }
    }
}
