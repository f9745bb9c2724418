// SPDX-License-Identifier: Apache-2.0

/// What a container's health check has found, by Docker's rules: a pure value, part of the life cycle.
package struct Health: Hashable, Sendable {
    package enum Status: UInt32, Hashable, Sendable {
        case starting = 1
        case healthy = 2
        case unhealthy = 3
    }

    /// One probe that has ended.
    package struct Result: Hashable, Sendable {
        package let startedAtUnixNanos: Int64
        package let endedAtUnixNanos: Int64
        /// 0: it is well; -1: the program could not be executed, or took too long.
        package let exitCode: Int32
        package let output: [UInt8]

        package init(
            startedAtUnixNanos: Int64,
            endedAtUnixNanos: Int64,
            exitCode: Int32,
            output: [UInt8]
        ) {
            self.startedAtUnixNanos = startedAtUnixNanos
            self.endedAtUnixNanos = endedAtUnixNanos
            self.exitCode = exitCode
            self.output = output
        }
    }

    package static let resultLimit = 5
    package static let outputLimit = 4096

    package internal(set) var status = Status.starting
    package internal(set) var failingStreak: UInt32 = 0
    /// The newest last.
    package internal(set) var results: [Result] = []
    /// How many probes of the present run have ended.
    package internal(set) var probes: UInt64 = 0
    /// When the run began, and when its last probe ended; in boot time.
    package internal(set) var runBootNanos: Int64 = 0
    package internal(set) var probedBootNanos: Int64 = 0

    package init() {}

    /// A run begins; what the last ones found stays to be read.
    package mutating func begin(atBootNanos now: Int64) {
        status = .starting
        failingStreak = 0
        probes = 0
        runBootNanos = now
        probedBootNanos = now
    }

    /// As Docker: what does not run is not healthy.
    mutating func end() { status = .unhealthy }

    /// When the next probe is due, in boot time.
    package func due(_ check: HealthCheck) -> Int64 {
        let isStarting = status == .starting && probedBootNanos - runBootNanos < check.startPeriodNanos
        return probedBootNanos + (isStarting ? check.startIntervalNanos : check.intervalNanos)
    }

    /// - Parameter startedBootNanos: When the probe began.
    package mutating func note(
        _ result: Result,
        startedBootNanos: Int64,
        nowBootNanos: Int64,
        _ check: HealthCheck
    ) {
        results = Array((results + [result]).suffix(Self.resultLimit))
        probes += 1
        probedBootNanos = nowBootNanos
        if result.exitCode == 0 {
            failingStreak = 0
            status = .healthy
            return
        }
        if status == .starting, startedBootNanos - runBootNanos < check.startPeriodNanos { return }
        failingStreak += 1
        if failingStreak >= check.failuresAllowed { status = .unhealthy }
    }
}
