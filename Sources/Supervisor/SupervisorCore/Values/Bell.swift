// SPDX-License-Identifier: Apache-2.0
package import Events
internal import Synchronization
internal import System

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
        try await wait(as: newToken(), past: generation)
    }

    /// As `wait(past:)`, but returns at `deadlineNanos` of boot time in any case, which `poller` looks after.
    package func wait(
        past generation: UInt64,
        untilBootNanos deadlineNanos: Int64,
        _ poller: Poller
    ) async throws {
        let token = newToken()
        let timer = poller.schedule(atBootNanos: deadlineNanos) { self.take(token)?.resume() }
        defer { poller.cancel(timer) }
        try await wait(as: token, past: generation, untilBootNanos: deadlineNanos)
    }

    private func newToken() -> UInt64 {
        state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
    }

    private func wait(
        as token: UInt64,
        past generation: UInt64,
        untilBootNanos deadlineNanos: Int64 = .max
    ) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let hasRung = state.withLock { state in
                    guard state.generation == generation else { return true }
                    state.waits[token] = continuation
                    return false
                }
                if hasRung { continuation.resume() }
                // A cancellation that came before the entry was there found nothing to end; nor did the timer.
                if Task.isCancelled { cancel(token) }
                if Clock.bootNanos >= deadlineNanos { take(token)?.resume() }
            }
        } onCancel: {
            cancel(token)
        }
    }

    private func cancel(_ token: UInt64) { take(token)?.resume(throwing: CancellationError()) }

    private func take(_ token: UInt64) -> CheckedContinuation<Void, any Error>? {
        state.withLock { $0.waits.removeValue(forKey: token) }
    }
}
