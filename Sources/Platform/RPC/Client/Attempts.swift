// SPDX-License-Identifier: Apache-2.0

/// How one attempt at a call has ended.
struct FailedAttempt {
    let error: RPCError
    /// What came with the status.
    var trailing = Metadata()
    /// The server did not act on it.
    var isUnprocessed = false
    /// The answer had begun: it is the call's, whatever becomes of it.
    var isCommitted = false
}

/// How often a unary call was sent, and whether it is once more.
struct Attempts {
    /// What the server did not act on is sent so often, unless the call waits for a server anyway.
    private static let transparentLimit = 3
    private static let longestPushback = 60_000

    private let policy: RetryPolicy?
    private let isIdempotent: Bool
    private let waitsForServer: Bool
    private var made = 0
    private var transparentDelay = Connector.firstDelay

    init(policy: RetryPolicy?, isIdempotent: Bool, waitsForServer: Bool) {
        self.policy = policy
        self.isIdempotent = isIdempotent
        self.waitsForServer = waitsForServer
    }

    /// After an attempt has failed.
    /// - Returns: How long to wait before the next; nil: the failure is the call's.
    mutating func next(after failed: FailedAttempt, _ record: ChannelRecord) -> Duration? {
        made += 1
        // The server did not act on it: it was going away, was gone, or has too much to do.
        if failed.isUnprocessed, !failed.isCommitted, waitsForServer || made < Self.transparentLimit {
            defer { transparentDelay = Connector.next(transparentDelay) }
            return transparentDelay
        }
        guard let policy else { return nil }
        let wish = Self.pushback(failed.trailing)
        let isRetryable = policy.retryableStatusCodes.contains(failed.error.code)
        // They count whether the call is sent again or not: it is the server that they tell of.
        guard isRetryable || wish == .never, record.noteFailure(), isRetryable, isIdempotent,
            !failed.isCommitted,
            made < policy.maxAttempts
        else { return nil }
        let delay: Duration
        switch wish {
        case .none: delay = policy.backoff(before: made + 1)
        case .after(let time): delay = time
        case .never: return nil
        }
        record.noteRetry()
        return delay
    }

    /// What the server says about another attempt.
    private enum Pushback: Hashable {
        case none
        case after(Duration)
        case never
    }

    /// What is no number means: do not.
    private static func pushback(_ trailing: Metadata) -> Pushback {
        guard let text = trailing["grpc-retry-pushback-ms"] else { return .none }
        guard let time = Int(text), (0...longestPushback).contains(time) else { return .never }
        return .after(.milliseconds(time))
    }
}
