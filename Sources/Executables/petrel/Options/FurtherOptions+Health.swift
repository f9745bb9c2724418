// SPDX-License-Identifier: Apache-2.0
import Messages
import Rendering

/// Options of `run` and `create`: how to see whether the container is well. What is not given is the image's.
extension FurtherOptions {
    func addHealth(to config: inout EngineV1.ContainerConfig) throws(Failure) {
        let retries = healthRetries ?? 0
        guard retries >= 0 else {
            throw Failure("--health-retries", "cannot be negative", exitCode: 125)
        }
        let health = EngineV1.HealthConfig(
            test: healthCmd.isEmpty ? [] : ["CMD-SHELL", healthCmd],
            intervalNanos: try Self.nanos(healthInterval, "--health-interval"),
            timeoutNanos: try Self.nanos(healthTimeout, "--health-timeout"),
            retries: retries,
            startPeriodNanos: try Self.nanos(healthStartPeriod, "--health-start-period"),
            startIntervalNanos: try Self.nanos(healthStartInterval, "--health-start-interval")
        )
        let isGiven = health != EngineV1.HealthConfig()
        guard !noHealthcheck || !isGiven else {
            throw Failure("--no-healthcheck", "conflicts with --health-* options", exitCode: 125)
        }
        if noHealthcheck {
            config.health = EngineV1.HealthConfig(test: ["NONE"])
        } else if isGiven {
            config.health = health
        }
    }

    private static func nanos(_ text: String, _ option: String) throws(Failure) -> Int64 {
        guard !text.isEmpty else { return 0 }
        guard let nanos = Moments.duration(text) else {
            throw Failure(
                "\(option) '\(text)'",
                "is no duration",
                advice: "write 30s or 1m30s",
                exitCode: 125
            )
        }
        guard nanos >= 0 else { throw Failure(option, "cannot be negative", exitCode: 125) }
        return nanos
    }
}
