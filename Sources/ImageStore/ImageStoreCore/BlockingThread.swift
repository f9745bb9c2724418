// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import Synchronization
internal import System
internal import Tar

/// Work that blocks, on a thread of its own, so that it holds up no task of the shared pool.
enum BlockingThread {
    /// Runs `body` to its end; `body` learns of cancellation by the flag that it gets.
    static func run<R: Sendable>(_ body: @escaping @Sendable (StopFlag) throws -> R) async throws -> R {
        let flag = StopFlag()
        let job = try ThreadJob { try body(flag) }
        return try await withTaskCancellationHandler {
            try await job.value()
        } onCancel: {
            flag.raise()
        }
    }

    /// Runs `read` on a thread with the bytes that `feed` sends from this task, both at the same time.
    ///
    /// When the reader fails, its error is the result; when `feed` fails, the reader ends with that error.
    static func run<R: Sendable>(
        reading read: @escaping @Sendable (any ByteSource) throws -> R,
        feed: (ByteConduit) async throws -> Void
    ) async throws -> R {
        let conduit = ByteConduit()
        let job = try ThreadJob {
            do {
                return try read(ConduitSource(conduit))
            } catch {
                conduit.abandon()
                throw error
            }
        }
        do {
            try await feed(conduit)
            conduit.finish()
        } catch is ConduitAbandoned {
            // The reader's own error says why.
        } catch {
            conduit.fail(error)
            _ = try? await job.value()
            throw error
        }
        return try await job.value()
    }
}

/// A thread and what comes of it. `value` may be waited for once at a time.
final class ThreadJob<R: Sendable>: Sendable {
    private struct State {
        var result: Result<R, any Error>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Monitor(State())

    /// Starts the thread.
    fileprivate init(_ body: @escaping @Sendable () throws -> R) throws(SystemError) {
        let state = state
        try Threads.start {
            let result = Result { try body() }
            let waiter = state.withLock { state in
                state.result = result
                return state.waiter.take()
            }
            waiter?.resume()
        }
    }

    /// Waits for the thread's end; not cancelled, since the thread uses what its caller cleans up afterwards.
    func value() async throws -> R {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if state.result == nil { state.waiter = continuation }
                return state.result != nil
            }
            if hasEnded { continuation.resume() }
        }
        guard let result = state.withLock({ $0.result }) else { throw CancellationError() }
        return try result.get()
    }
}

/// Says that nobody waits for the result any more.
final class StopFlag: Sendable {
    private let raised = Atomic(false)
    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
}
