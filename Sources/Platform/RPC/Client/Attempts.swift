// SPDX-License-Identifier: Apache-2.0

/// How often a unary call was sent, and whether it is once more.
struct Attempts {
    /// What the server did not act on is sent so often, unless the call waits for a server anyway.
    private static let transparentLimit = 3

    private let policy: RetryPolicy?
    private let waitsForServer: Bool
    private var made = 0
    private var transparentDelay = Connector.firstDelay

    init(policy: RetryPolicy?, waitsForServer: Bool) {
        self.policy = policy
        self.waitsForServer = waitsForServer
    }

    /// After an attempt has failed.
    /// - Returns: How long to wait before the next; nil: the failure is the call's.
    mutating func next(
        after failure: RPCError,
        _ trailing: Metadata,
        _ isUnprocessed: Bool,
        _ record: ChannelRecord
    ) -> Duration? {
        made += 1
        // The server did not act on it: it was going away, was gone, or has too much to do.
        if isUnprocessed, waitsForServer || made < Self.transparentLimit {
            defer { transparentDelay = Connector.next(transparentDelay) }
            return transparentDelay
        }
        guard let policy, made < policy.maxAttempts, policy.retryableStatusCodes.contains(failure.code),
            record.mayRetry()
        else { return nil }
        guard let pushback = trailing["grpc-retry-pushback-ms"] else {
            return policy.backoff(before: made + 1)
        }
        // What is no number means: do not.
        return Int(pushback).flatMap { $0 >= 0 && $0 <= 60_000 ? .milliseconds($0) : nil }
    }
}
