// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import Synchronization
internal import System

/// Counts the connections that one listening socket has accepted. Those beyond its limit are closed at once:
/// their clients learn of it, which they would not in the queue of a server that accepts no more.
final class Admission: Sendable {
    private struct State {
        var open = 0
        /// Since the last line about it.
        var refused = 0
        var lastLineNanos: Int64?
    }

    private let limit: Int
    private let logger: Logger
    private let state = Mutex(State())

    /// A server that is flooded must not flood its log.
    private static let lineInterval: Int64 = 10_000_000_000

    init(limit: Int, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    /// Whether there is a place for a new connection, which it has until `leave`.
    func admit() -> Bool {
        let isAdmitted = state.withLock { state in
            guard state.open < limit else { return false }
            state.open += 1
            return true
        }
        if !isAdmitted {
            note("connections are refused: as many as may be are open", ["limit": "\(limit)"])
        }
        return isAdmitted
    }

    /// A connection has ended.
    func leave() { state.withLock { $0.open -= 1 } }

    /// Logs why none is accepted.
    func failed(_ error: any Error) { note("a connection cannot be accepted", ["error": "\(error)"]) }

    private func note(_ text: Logger.Message, _ metadata: Logger.Metadata) {
        let count = state.withLock { state -> Int? in
            state.refused += 1
            let now = Clock.bootNanos
            if let last = state.lastLineNanos, now - last < Self.lineInterval { return nil }
            state.lastLineNanos = now
            defer { state.refused = 0 }
            return state.refused
        }
        guard let count else { return }
        logger.warning(text, metadata: metadata.merging(["times": "\(count)"]) { $1 })
    }
}
