// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// How much of a connection has arrived and waits to be read: what its peer makes this process hold.
///
/// Only whole messages count, which a reader can take at any time; so there is always somebody who can make room.
final class UnreadBytes: Sendable {
    /// Beyond this, a server lets no more come.
    static let limit = 16 << 20

    private let bytes = Atomic(0)
    /// The connection waits for room.
    private let isWaiting = Atomic(false)

    /// What a message takes, also a small one.
    static func size(of message: WireMessage) -> Int { message.bytes.count + messageOverhead }

    private static let messageOverhead = 64

    func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }

    /// - Returns: Whether the connection is to be told.
    func remove(_ count: Int) -> Bool {
        guard count > 0, bytes.subtract(count, ordering: .sequentiallyConsistent).newValue <= Self.limit
        else {
            return false
        }
        guard isWaiting.load(ordering: .sequentiallyConsistent) else { return false }
        return isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Whether more may come; if not, `remove` will say when.
    var mayReceive: Bool {
        guard bytes.load(ordering: .relaxed) > Self.limit else { return true }
        isWaiting.store(true, ordering: .sequentiallyConsistent)
        // Room that was made before has told nobody.
        guard bytes.load(ordering: .sequentiallyConsistent) <= Self.limit else { return false }
        return isWaiting.exchange(false, ordering: .sequentiallyConsistent)
    }
}
