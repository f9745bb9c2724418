// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import System

/// Lets tasks wait for descriptors, all watched by one thread, which also knows when a wait has lasted too long.
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

    /// Calls `body` on the poller's thread at `dueNanos` of boot time, unless it is cancelled before, or the poller stopped.
    ///
    /// For limits that are hardly ever reached: a task that sleeps and is cancelled leaves a timer behind, which fires all
    /// the same, and until then keeps the task's memory.
    /// - Parameters:
    ///   - dueNanos: Kept to the millisecond, and never early.
    ///   - body: Must not block.
    package func schedule(atBootNanos dueNanos: Int64, _ body: @escaping @Sendable () -> Void) -> Timer {
        core.schedule(dueNanos, body)
    }

    /// `body` may be called at this very moment.
    package func cancel(_ timer: Timer) { core.cancel(timer) }
}

private final class Core: Sendable {
    private struct Wait {
        let continuation: CheckedContinuation<Epoll.Interest, any Error>
        let watched: SharedDescriptor
    }

    private struct State {
        var nextToken: UInt64 = 1
        var waits: [UInt64: Wait] = [:]
        var timers = Timers()
        var isStopped = false

        mutating func takeToken() -> UInt64 {
            defer { nextToken += 1 }
            return nextToken
        }
    }

    private let epoll: Epoll
    private let wake: Pipe
    private let state = Mutex(State())

    init() throws(SystemError) {
        let epoll = try Epoll()
        let wake = try Pipe()
        try epoll.add(wake.readEnd.raw, .readable, token: 0)
        self.epoll = epoll
        self.wake = wake
    }

    func run() {
        while let reports = try? epoll.wait(untilBootNanos: state.withLock { $0.timers.nextNanos }) {
            for report in reports {
                if report.token == 0 {
                    guard isToGoOn() else { return }
                } else {
                    take(report.token)?.continuation.resume(returning: report.found)
                }
            }
            let now = Clock.bootNanos
            while let body = state.withLock({ $0.timers.takeNext(atBootNanos: now) }) { body() }
        }
    }

    /// Somebody has woken the thread: with an earlier timer, or to end it.
    private func isToGoOn() -> Bool {
        epoll.remove(wake.readEnd.raw)
        // In this order: what is written for a stop that comes after the look is still there to be found.
        guard (try? Files.readSome(wake.readEnd.raw, limit: 64)) != nil, !state.withLock({ $0.isStopped })
        else { return false }
        return (try? epoll.add(wake.readEnd.raw, .readable, token: 0)) != nil
    }

    func stop() {
        // The timers too are let go of where no lock is held: what they hold may end with them.
        let (waits, _) = state.withLock { state -> ([UInt64: Wait], Timers) in
            defer {
                state.isStopped = true
                state.timers = Timers()
                state.waits = [:]
            }
            return (state.waits, state.timers)
        }
        for wait in waits.values { finish(wait).continuation.resume(throwing: CancellationError()) }
        try? Files.writeAll(wake.writeEnd.raw, [1])
    }

    func schedule(_ dueNanos: Int64, _ body: @escaping @Sendable () -> Void) -> Timer {
        let (timer, mustWake) = state.withLock { state -> (Timer, Bool) in
            let (timer, isFirst) = state.timers.add(dueNanos: dueNanos, body)
            return (timer, isFirst && !state.isStopped)
        }
        if mustWake { try? Files.writeAll(wake.writeEnd.raw, [1]) }
        return timer
    }

    func cancel(_ timer: Timer) { _ = state.withLock { $0.timers.cancel(timer) } }

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
