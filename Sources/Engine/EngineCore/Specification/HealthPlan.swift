// SPDX-License-Identifier: Apache-2.0

/// How a container's health is checked: the user's settings over the image's, and Docker's defaults for the rest.
struct HealthPlan: Hashable {
    /// As `inspect` shows it: what is not set anywhere is empty or 0.
    let shown: ContainerSettings.Health

    private static let shortestNanos: Int64 = 1_000_000
    private static let longestNanos: Int64 = 366 * 86_400 * 1_000_000_000

    /// - Throws: `.invalidField` for a span below a millisecond, or a test that is none.
    init(_ own: ContainerSettings.Health, over image: ContainerSettings.Health?) throws(EngineError) {
        var health = own
        if let image {
            if health.test.isEmpty { health.test = image.test }
            if health.intervalNanos == 0 { health.intervalNanos = image.intervalNanos }
            if health.timeoutNanos == 0 { health.timeoutNanos = image.timeoutNanos }
            if health.startPeriodNanos == 0 { health.startPeriodNanos = image.startPeriodNanos }
            if health.startIntervalNanos == 0 { health.startIntervalNanos = image.startIntervalNanos }
            if health.retries == 0 { health.retries = image.retries }
        }
        shown = health
        try check()
    }

    private func check() throws(EngineError) {
        for (name, nanos) in [
            ("interval", shown.intervalNanos), ("timeout", shown.timeoutNanos),
            ("start period", shown.startPeriodNanos), ("start interval", shown.startIntervalNanos),
        ] {
            guard nanos == 0 || HealthPlan.shortestNanos...HealthPlan.longestNanos ~= nanos else {
                throw .invalidField(
                    "health \(name)",
                    "the health \(name) must be at least 1ms, or 0 for the default"
                )
            }
        }
        guard 0...Int64(Int32.max) ~= shown.retries else {
            throw .invalidField("health retries", "the health retries \(shown.retries) must not be negative")
        }
        let isTest =
            switch shown.test.first {
            case nil: true
            case "NONE"?: shown.test.count == 1
            case "CMD"?: shown.test.count > 1
            case "CMD-SHELL"?: shown.test.count == 2
            default: false
            }
        guard isTest, !shown.test.contains(where: { $0.utf8.contains(0) }) else {
            throw .invalidField(
                "health test",
                "invalid health test \(shown.test)",
                advice: "begin it with CMD, CMD-SHELL or NONE"
            )
        }
    }

    /// What is to be done; nil: nothing is.
    var order: HealthOrder? {
        guard let kind = shown.test.first, kind != "NONE" else { return nil }
        func millis(_ nanos: Int64, else value: UInt64) -> UInt64 {
            nanos == 0 ? value : UInt64(nanos / 1_000_000)
        }
        return HealthOrder(
            test: shown.test,
            intervalMillis: millis(shown.intervalNanos, else: 30_000),
            timeoutMillis: millis(shown.timeoutNanos, else: 30_000),
            retries: shown.retries == 0 ? 3 : UInt32(clamping: shown.retries),
            startPeriodMillis: millis(shown.startPeriodNanos, else: 0),
            startIntervalMillis: millis(shown.startIntervalNanos, else: 5_000)
        )
    }
}

/// A health check as the supervisor is told it.
package struct HealthOrder: Hashable, Sendable {
    package var test: [String]
    package var intervalMillis: UInt64
    package var timeoutMillis: UInt64
    package var retries: UInt32
    package var startPeriodMillis: UInt64
    package var startIntervalMillis: UInt64
}
