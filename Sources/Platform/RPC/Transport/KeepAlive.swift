// SPDX-License-Identifier: Apache-2.0

/// How a peer that has gone without a word is noticed: a machine that lost its power, a process that was stopped.
package struct KeepAlive: Hashable, Sendable {
    /// After so long without a byte from the peer it is asked for a sign of life (PING); at least a second.
    package let interval: Duration
    /// The connection is given up when nothing has come for so long after that.
    package let timeout: Duration
    /// Also while there is no call.
    package let withoutCalls: Bool

    package init(interval: Duration, timeout: Duration = .seconds(20), withoutCalls: Bool = false) {
        self.interval = max(interval, .seconds(1))
        self.timeout = max(timeout, .milliseconds(100))
        self.withoutCalls = withoutCalls
    }

    /// However often a server complains, it is not asked more seldom than about so.
    private static let longestInterval = Duration.seconds(3600)

    /// What a client does whom a server has told that it asks too often.
    var calmer: KeepAlive {
        guard interval < Self.longestInterval else { return self }
        return KeepAlive(interval: interval * 2, timeout: timeout, withoutCalls: withoutCalls)
    }
}

/// Which PINGs a server takes for a nuisance. Those between which it has sent something for a call never count.
struct PingGuard {
    /// Asked no more often than this, nobody is sent away.
    static let minimumNanos: Int64 = 5_000_000_000
    private static let strikesAllowed = 2

    private var lastNanos: Int64 = 0
    private var strikes = 0

    /// - Returns: Whether the client is to be sent away.
    mutating func received(at nanos: Int64) -> Bool {
        defer { lastNanos = nanos }
        guard lastNanos > 0, nanos - lastNanos < Self.minimumNanos else { return false }
        strikes += 1
        return strikes > Self.strikesAllowed
    }

    mutating func sentSomething() {
        lastNanos = 0
        strikes = 0
    }
}
