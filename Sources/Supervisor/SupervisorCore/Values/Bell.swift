// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Wakes tasks that wait for some state to change. It carries nothing: who is woken looks at the state again.
///
/// Take `generation`, look at the state, then wait past that generation: a change between the two is not
/// missed.
package final class Bell: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var nextToken: UInt64 = 0
        var waits: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var generation: UInt64 { state.withLock { $0.generation } }

    /// Wakes everybody who waits.
    package func ring() {
        let waits = state.withLock { state in
            state.generation += 1
            defer { state.waits = [:] }
            return state.waits
        }
        for wait in waits.values { wait.resume() }
    }

    /// Returns once the bell has rung after `generation` was taken. Rightly endless; ends by cancellation.
    package func wait(past generation: UInt64) async throws {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let hasRung = state.withLock { state in
                    guard state.generation == generation else { return true }
                    state.waits[token] = continuation
                    return false
                }
                if hasRung { continuation.resume() }
                // A cancellation that came before the entry was there found nothing to end.
                if Task.isCancelled { cancel(token) }
            }
        } onCancel: {
            cancel(token)
        }
    }

    private func cancel(_ token: UInt64) {
        state.withLock { $0.waits.removeValue(forKey: token) }?.resume(throwing: CancellationError())
    }
}

extension Bell {
    /// As `wait(past:)`, but returns after some time in any case.
    package func wait(past generation: UInt64, atMostNanos nanos: Int64) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.wait(past: generation) }
            group.addTask { try await Task.sleep(for: .nanoseconds(nanos)) }
            try await group.next()
            group.cancelAll()
            // What was cancelled here says so; that is no failure of the wait.
            while let result = await group.nextResult() { _ = result }
        }
    }
}
