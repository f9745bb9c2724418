// SPDX-License-Identifier: Apache-2.0
internal import System
internal import Tar

/// Bytes from a task to a blocking thread, at most 1 MiB on the way: a slow reader suspends the writer.
///
/// One writer, one reader. Whoever ends first ends the other: `fail` makes the reader's `next` throw, `abandon` the
/// writer's `send`.
final class ByteConduit: Sendable {
    private static let capacityBytes = 1 << 20

    private struct State {
        var chunks: [[UInt8]] = []
        var bytes = 0
        var hasFinished = false
        var failure: (any Error)?
        var isAbandoned = false
        var writer: CheckedContinuation<Void, Never>?
    }

    private let state = Monitor(State())

    /// Suspends while the conduit is full.
    /// - Throws: `CancellationError`; `ConduitAbandoned` when the reader gave up.
    func send(_ chunk: [UInt8]) async throws {
        guard !chunk.isEmpty else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    let isFull =
                        state.bytes >= Self.capacityBytes && !state.isAbandoned && state.failure == nil
                    if isFull { state.writer = continuation }
                    return !isFull
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            fail(CancellationError())
        }
        try Task.checkCancellation()
        let isAbandoned = state.withLock { state in
            state.chunks.append(chunk)
            state.bytes += chunk.count
            return state.isAbandoned
        }
        if isAbandoned { throw ConduitAbandoned() }
    }

    /// The end of the stream.
    func finish() { state.withLock { $0.hasFinished = true } }

    /// The reader gets `error` instead of more bytes.
    func fail(_ error: any Error) {
        let writer = state.withLock { state in
            if state.failure == nil, !state.hasFinished { state.failure = error }
            return state.writer.take()
        }
        writer?.resume()
    }

    /// The reader will read no more.
    func abandon() {
        let writer = state.withLock { state in
            state.isAbandoned = true
            return state.writer.take()
        }
        writer?.resume()
    }

    /// Blocks until there is a chunk; nil at the end.
    fileprivate func take() throws -> [UInt8]? {
        let (result, writer) = state.wait {
            state -> (Result<[UInt8]?, any Error>, CheckedContinuation<Void, Never>?)? in
            if let failure = state.failure { return (.failure(failure), state.writer.take()) }
            if state.chunks.isEmpty { return state.hasFinished ? (.success(nil), nil) : nil }
            let chunk = state.chunks.removeFirst()
            state.bytes -= chunk.count
            return (.success(chunk), state.bytes < Self.capacityBytes ? state.writer.take() : nil)
        }
        writer?.resume()
        return try result.get()
    }
}

/// The reader's side stopped; its own error says why.
struct ConduitAbandoned: Error {}

/// The reading end, for one thread.
final class ConduitSource: ByteSource {
    private let conduit: ByteConduit
    private var chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 64)

    init(_ conduit: ByteConduit) { self.conduit = conduit }

    deinit { chunk.deallocate() }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        do {
            guard let bytes = try conduit.take() else { return UnsafeRawBufferPointer(start: nil, count: 0) }
            if chunk.count < bytes.count {
                chunk.deallocate()
                chunk = .allocate(byteCount: bytes.count, alignment: 64)
            }
            chunk.copyBytes(from: bytes)
            return UnsafeRawBufferPointer(rebasing: chunk[..<bytes.count])
        } catch is CancellationError {
            throw .cancelled
        } catch {
            throw .source(error)
        }
    }
}
