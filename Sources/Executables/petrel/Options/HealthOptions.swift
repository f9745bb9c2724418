// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

/// Options of `run` and `create`: how to see whether the container is well. What is not given is the image's.
struct HealthOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Shell line that succeeds while it is well.") var healthCmd = ""
    @Option(parsing: .unconditional, help: "Time between two checks (default 30s).") var healthInterval = ""
    @Option(parsing: .unconditional, help: "Longest time of one check (default 30s).") var healthTimeout = ""
    @Option(parsing: .unconditional, help: "Failures in a row until it is unhealthy (default 3).")
    var healthRetries: Int64?
    @Option(parsing: .unconditional, help: "Time after a start in which failures do not count (default 0s).")
    var healthStartPeriod = ""
    @Option(parsing: .unconditional, help: "Time between two checks then (default 5s).")
    var healthStartInterval = ""
    @Flag(name: .customLong("no-healthcheck"), help: "Check nothing, whatever the image says.")
    var isDisabled = false

    func add(to config: inout EngineV1.ContainerConfig) throws(Failure) {
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
        guard !isDisabled || !isGiven else {
            throw Failure("--no-healthcheck", "conflicts with --health-* options", exitCode: 125)
        }
        if isDisabled {
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
