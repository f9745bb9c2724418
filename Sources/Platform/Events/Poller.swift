// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import System

/// Lets tasks wait for descriptors, all watched by one thread.
///
/// Each wait watches a duplicate of the descriptor, so any number of tasks may wait for the same one, and one
/// that is closed meanwhile disturbs nobody. A wait's continuation is resumed exactly once: by whoever takes
/// its entry out of `waits`, be it the thread, the task's cancellation, or `stop()`.
package final class Poller: Sendable {
    private let core: Core

    /// Starts the thread.
    package init() throws(SystemError) {
        let core = try Core()
        self.core = core
        try Threads.start { core.run() }
    }

    /// Ends the thread; present and later waits throw `CancellationError`.
    package func stop() { core.stop() }

    deinit { core.stop() }

    /// Waits until there is something to read, or the other side is gone; for a pidfd, until the process has
    /// ended.
    ///
    /// Rightly endless; ends by cancellation.
    /// - Throws: `CancellationError`; `SystemError` (`EPERM`) for a file that is always ready.
    package func readable(_ descriptor: SharedDescriptor) async throws {
        _ = try await core.wait(on: descriptor, .readable)
    }

    /// Waits until there is room to write, or the other side is gone. Otherwise as `readable`.
    package func writable(_ descriptor: SharedDescriptor) async throws {
        _ = try await core.wait(on: descriptor, .writable)
    }

    /// Waits until the other side is gone; for a pidfd, until the process was reaped. Otherwise as
    /// `readable`.
    package func hungUp(_ descriptor: SharedDescriptor) async throws {
        _ = try await core.wait(on: descriptor, [])
    }
}

private final class Core: Sendable {
    private struct Wait {
        let continuation: CheckedContinuation<Epoll.Interest, any Error>
        let watched: SharedDescriptor
    }

    private struct State {
        var nextToken: UInt64 = 1
        var waits: [UInt64: Wait] = [:]
        var isStopped = false

        mutating func takeToken() -> UInt64 {
            defer { nextToken += 1 }
            return nextToken
        }
    }

    private let epoll: Epoll
    private let wake: EventCounter
    private let state = Mutex(State())

    init() throws(SystemError) {
        let epoll = try Epoll()
        let wake = try EventCounter()
        try epoll.watch(wake.raw, .readable, token: 0)
        self.epoll = epoll
        self.wake = wake
    }

    func run() {
        while !state.withLock({ $0.isStopped }) {
            do throws(SystemError) {
                try epoll.wait { report in
                    guard report.token != 0 else { return }
                    take(report.token)?.continuation.resume(returning: report.found)
                }
            } catch {
                return
            }
        }
    }

    func stop() {
        let waits = state.withLock { state in
            state.isStopped = true
            defer { state.waits = [:] }
            return state.waits
        }
        for wait in waits.values { finish(wait).continuation.resume(throwing: CancellationError()) }
        wake.signal()
    }

    func wait(on descriptor: SharedDescriptor, _ interest: Epoll.Interest) async throws -> Epoll.Interest {
        let watched = SharedDescriptor(try descriptor.duplicate())
        let token = state.withLock { $0.takeToken() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(Wait(continuation: continuation, watched: watched), interest, token)
            }
        } onCancel: {
            take(token)?.continuation.resume(throwing: CancellationError())
        }
    }

    private func begin(_ wait: Wait, _ interest: Epoll.Interest, _ token: UInt64) {
        let refusal: (any Error)? = state.withLock { state in
            guard !state.isStopped else { return CancellationError() }
            // Under the lock: whoever takes the entry ends the watch, which therefore must have begun. One that began
            // after it would outlive the duplicate, and meet the next one of the same number.
            do throws(SystemError) { try epoll.add(wait.watched.raw, interest, token: token) } catch {
                return error
            }
            state.waits[token] = wait
            return nil
        }
        if let refusal { return wait.continuation.resume(throwing: refusal) }
        // A cancellation that came before the entry was there found nothing to end.
        if Task.isCancelled { take(token)?.continuation.resume(throwing: CancellationError()) }
    }

    /// Whoever gets the entry resumes it.
    private func take(_ token: UInt64) -> Wait? {
        state.withLock { $0.waits.removeValue(forKey: token) }.map(finish)
    }

    /// The duplicate is closed with the last reference, and must be forgotten before: the description lives
    /// on.
    private func finish(_ wait: Wait) -> Wait {
        epoll.remove(wait.watched.raw)
        return wait
    }
}
