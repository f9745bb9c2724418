// SPDX-License-Identifier: Apache-2.0

/// How a running container is asked whether it is well.
package struct HealthCheck: Hashable, Sendable {
    /// Docker's form: "CMD" and a program with its arguments, or "CMD-SHELL" and a line for the shell.
    package var test: [String]
    /// Everywhere 0: Docker's default.
    package var intervalMillis: UInt64
    package var timeoutMillis: UInt64
    package var retries: UInt32
    package var startPeriodMillis: UInt64
    package var startIntervalMillis: UInt64

    package init(
        test: [String],
        intervalMillis: UInt64 = 0,
        timeoutMillis: UInt64 = 0,
        retries: UInt32 = 0,
        startPeriodMillis: UInt64 = 0,
        startIntervalMillis: UInt64 = 0
    ) {
        self.test = test
        self.intervalMillis = intervalMillis
        self.timeoutMillis = timeoutMillis
        self.retries = retries
        self.startPeriodMillis = startPeriodMillis
        self.startIntervalMillis = startIntervalMillis
    }

    /// A program and its arguments; nil when there is nothing to be run.
    package var arguments: [String]? {
        guard test.count > 1 else { return nil }
        switch test[0] {
        case "CMD": return Array(test.dropFirst())
        case "CMD-SHELL": return ["/bin/sh", "-c", test.dropFirst().joined(separator: " ")]
        default: return nil
        }
    }

    package var intervalNanos: Int64 { Self.nanos(intervalMillis, or: 30_000) }
    package var timeoutNanos: Int64 { Self.nanos(timeoutMillis, or: 30_000) }
    package var startPeriodNanos: Int64 { Self.nanos(startPeriodMillis, or: 0) }
    package var startIntervalNanos: Int64 { Self.nanos(startIntervalMillis, or: 5_000) }
    /// After so many failures in a row it is unhealthy.
    package var failuresAllowed: UInt32 { retries == 0 ? 3 : retries }

    private static func nanos(_ millis: UInt64, or usual: UInt64) -> Int64 {
        Int64(clamping: min(millis == 0 ? usual : millis, UInt64(Int64.max / 4_000_000)) * 1_000_000)
    }
}
