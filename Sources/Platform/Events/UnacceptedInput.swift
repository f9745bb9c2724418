// SPDX-License-Identifier: Apache-2.0

/// Bytes on their way to a receiver that says how many it has accepted: the others are kept, and go out again on the next
/// connection. A pure value; positions count bytes from the input's start.
///
/// Where several senders share one input, positions are moved by all of them: nothing of one's own that was not sent is
/// ever dropped, but what was sent and not accepted when a connection breaks may be lost then.
package struct UnacceptedInput: Sendable {
    /// Most bytes that are kept.
    package static let limit = 256 << 10

    private var bytes: [UInt8] = []
    private var sentCount = 0
    /// What the receiver has of it; nil before it has said so.
    package private(set) var accepted: UInt64?
    /// Nothing follows what is kept.
    package private(set) var hasEnded = false

    package init() {}

    package var room: Int { Self.limit - bytes.count }
    package var isAllSent: Bool { sentCount == bytes.count }
    package var isAllAccepted: Bool { bytes.isEmpty }

    /// More input. The caller keeps to `room`; what comes after the end is dropped.
    package mutating func append(_ more: [UInt8]) {
        if !hasEnded { bytes += more }
    }

    package mutating func end() { hasEnded = true }

    /// The connection is gone: nothing goes out before the receiver has said what it has.
    package mutating func disconnect() {
        sentCount = 0
        isConnected = false
    }

    private var isConnected = false

    /// The receiver has told how many bytes it has.
    package mutating func accept(_ position: UInt64) {
        let before = accepted ?? position
        let more = position > before ? position - before : 0
        // On a new connection what had been sent on the last one may be among them.
        let candidates = isConnected ? sentCount : sentBefore
        let dropped = Int(min(more, UInt64(candidates)))
        bytes.removeFirst(dropped)
        sentCount = isConnected ? sentCount - dropped : 0
        sentBefore = max(0, sentBefore - dropped)
        accepted = max(before, position)
        isConnected = true
    }

    /// The most that was sent on any connection, counted from the first byte that is kept.
    private var sentBefore = 0

    /// The next bytes to send, at most `limit` and none beyond position `end`.
    package mutating func next(limit: Int, upTo end: UInt64 = .max) -> [UInt8] {
        guard isConnected, let accepted else { return [] }
        let reached = accepted + UInt64(sentCount)
        guard end > reached else { return [] }
        let count = min(limit, bytes.count - sentCount, Int(clamping: end - reached))
        guard count > 0 else { return [] }
        defer {
            sentCount += count
            sentBefore = max(sentBefore, sentCount)
        }
        return Array(bytes[sentCount..<sentCount + count])
    }
}
