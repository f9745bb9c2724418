// SPDX-License-Identifier: Apache-2.0

/// When a failed call is sent again.
///
/// Only unary calls whose method says in its definition that it may be called twice (`idempotency_level`); and, whatever is said
/// here, those that the server has not acted on. None whose answer had begun.
/// - Source: gRFC A6.
package struct RetryPolicy: Hashable, Sendable {
    /// The first one counts; 1 to 5.
    package let maxAttempts: Int
    package let initialBackoff: Duration
    package let maxBackoff: Duration
    package let backoffMultiplier: Double
    package let retryableStatusCodes: Set<StatusCode>

    /// Numbers outside their ranges are brought into them.
    package init(
        maxAttempts: Int = 4,
        initialBackoff: Duration = .milliseconds(20),
        maxBackoff: Duration = .seconds(1),
        backoffMultiplier: Double = 2,
        retryableStatusCodes: Set<StatusCode> = [.unavailable]
    ) {
        self.maxAttempts = min(max(maxAttempts, 1), 5)
        self.initialBackoff = max(initialBackoff, .milliseconds(1))
        self.maxBackoff = max(maxBackoff, .milliseconds(1))
        self.backoffMultiplier = max(backoffMultiplier, 1)
        self.retryableStatusCodes = retryableStatusCodes.subtracting([.ok])
    }

    /// Before attempt number `attempt`, of which the first is 1; between nothing and the full time, at random.
    func backoff(before attempt: Int) -> Duration {
        var delay = initialBackoff
        for _ in 2..<max(3, attempt) where delay < maxBackoff { delay = delay * backoffMultiplier }
        return min(delay, maxBackoff) * Double.random(in: 0...1)
    }
}

/// What a channel's calls do beyond what their callers say.
package struct ServiceConfig: Hashable, Sendable {
    /// Fewer retries when many calls fail: each attempt at a unary call that fails with a status that its
    /// policy repeats, or whose server wants no other, takes a token, though it is not repeated; each call's
    /// success gives a part of one back. With half of them gone nothing is retried.
    /// - Source: gRFC A6, "Throttling Retry Attempts and Hedged RPCs".
    package struct RetryThrottling: Hashable, Sendable {
        package let maxTokens: Double
        package let tokenRatio: Double

        package init(maxTokens: Double = 100, tokenRatio: Double = 0.1) {
            self.maxTokens = min(max(maxTokens, 1), 1000)
            self.tokenRatio = max(tokenRatio, 0.001)
        }
    }

    /// By `service/method`, by `service`, and by the empty name for all others.
    package var retryPolicies: [String: RetryPolicy]
    package var retryThrottling: RetryThrottling

    package init(retryPolicies: [String: RetryPolicy] = [:], retryThrottling: RetryThrottling = .init()) {
        self.retryPolicies = retryPolicies
        self.retryThrottling = retryThrottling
    }

    /// - Parameter path: `/service/method`.
    func retryPolicy(of path: String) -> RetryPolicy? {
        guard !retryPolicies.isEmpty else { return nil }
        let method = String(path.dropFirst())
        let service = String(method.prefix { $0 != "/" })
        return retryPolicies[method] ?? retryPolicies[service] ?? retryPolicies[""]
    }
}
