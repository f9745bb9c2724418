// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// How much of a connection has arrived and waits to be read: what its peer makes this process hold.
///
/// Only whole messages count, which a reader can take at any time; so there is always somebody who can make room.
final class UnreadBytes: Sendable {
    /// Beyond this, a server lets no more come.
    static let limit = 16 << 20

    private struct State {
        var bytes = 0
        /// The connection waits for room.
        var isWaiting = false
    }

    private let state = Mutex(State())

    /// What a message takes, also a small one.
    static func size(of message: WireMessage) -> Int { message.bytes.count + messageOverhead }

    private static let messageOverhead = 64

    func add(_ count: Int) { state.withLock { $0.bytes += count } }

    /// - Returns: Whether the connection is to be told.
    func remove(_ count: Int) -> Bool {
        guard count > 0 else { return false }
        return state.withLock { state in
            state.bytes -= count
            guard state.isWaiting, state.bytes <= Self.limit else { return false }
            state.isWaiting = false
            return true
        }
    }

    /// Whether more may come; if not, `remove` will say when.
    var mayReceive: Bool {
        state.withLock { state in
            state.isWaiting = state.bytes > Self.limit
            return !state.isWaiting
        }
    }
}
