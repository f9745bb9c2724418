// SPDX-License-Identifier: Apache-2.0
import Events
import Rendering
import Synchronization
import System

/// What we have to say to a running process: our standard input, and how much of its output we have. It outlives calls:
/// what the engine had not accepted when one broke goes out again with the next one.
final class Outbox: Sendable {
    enum Item: Sendable {
        case input([UInt8])
        case endOfInput
        case acknowledge(output: UInt64, error: UInt64)
        /// There will be no more of anything.
        case finished
    }

    private struct State {
        var input = UnacceptedInput()
        var hasSaidEnd = false
        /// Bytes of stdout and stderr that were written, and of how many the engine knows.
        var written: (output: UInt64, error: UInt64) = (0, 0)
        var told: (output: UInt64, error: UInt64) = (0, 0)
        var isFinished = false
    }

    private static let chunkSize = 64 << 10
    /// So much output is written before the engine is told.
    private static let toldEvery: UInt64 = 64 << 10

    private let state = Mutex(State())
    private let changes = Changes()

    /// Reads our standard input to its end.
    /// - Parameter keys: Those that detach; nil: none do.
    /// - Returns: Whether the user has typed them.
    func pump(_ keys: DetachKeys?) async throws -> Bool {
        let source = try StandardInput()
        var keys = keys
        while true {
            try await wait { $0.input.room >= Self.chunkSize }
            guard let chunk = await source.next() else {
                try Task.checkCancellation()
                change { $0.input.end() }
                return false
            }
            let (bytes, isComplete) = keys?.feed(chunk) ?? (chunk, false)
            change { $0.input.append(bytes) }
            if isComplete { return true }
        }
    }

    var written: (output: UInt64, error: UInt64) { state.withLock { $0.written } }

    func wrote(_ count: Int, to descriptor: Int32) {
        change { state in
            if descriptor == 2 {
                state.written.error += UInt64(count)
            } else {
                state.written.output += UInt64(count)
            }
        }
    }

    /// A new call begins: input waits for `accept`.
    func begin() {
        change { state in
            state.input.disconnect()
            state.hasSaidEnd = false
            state.told = state.written
        }
    }

    /// The engine has so many bytes of input.
    func accept(_ position: UInt64) { change { $0.input.accept(position) } }

    /// The process has ended: what is left to say is how much we have.
    func finish() { change { $0.isFinished = true } }

    /// The next thing to say; suspends until there is one.
    func next() async throws -> Item {
        while true {
            let seen = changes.version
            if let item = state.withLock({ Self.next(&$0) }) { return item }
            try await changes.wait(beyond: seen)
        }
    }

    private static func next(_ state: inout State) -> Item? {
        let untold = max(
            state.written.output - state.told.output,
            state.written.error - state.told.error
        )
        if untold >= (state.isFinished ? 1 : toldEvery) {
            state.told = state.written
            return .acknowledge(output: state.told.output, error: state.told.error)
        }
        if state.isFinished { return .finished }
        let bytes = state.input.next(limit: chunkSize)
        if !bytes.isEmpty { return .input(bytes) }
        guard state.input.hasEnded, state.input.accepted != nil, state.input.isAllSent, !state.hasSaidEnd
        else {
            return nil
        }
        state.hasSaidEnd = true
        return .endOfInput
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        changes.announce()
    }

    private func wait(until condition: (borrowing State) -> Bool) async throws {
        while true {
            let seen = changes.version
            if state.withLock({ condition($0) }) { return }
            try await changes.wait(beyond: seen)
        }
    }
}
