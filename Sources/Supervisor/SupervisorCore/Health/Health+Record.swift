// SPDX-License-Identifier: Apache-2.0
package import Messages

/// The check and what it found, as the supervisor writes them to disk.
extension Health {
    package var record: SupervisorV1.HealthRecord {
        SupervisorV1.HealthRecord(
            status: status.rawValue,
            failingStreak: failingStreak,
            results: results.map {
                SupervisorV1.HealthResult(
                    startedAtUnixNanos: $0.startedAtUnixNanos,
                    endedAtUnixNanos: $0.endedAtUnixNanos,
                    exitCode: $0.exitCode,
                    output: $0.output
                )
            },
            probes: probes,
            runBootNanos: runBootNanos,
            probedBootNanos: probedBootNanos
        )
    }

    package init(_ record: SupervisorV1.HealthRecord) {
        self.init()
        status = Status(rawValue: record.status) ?? .starting
        failingStreak = record.failingStreak
        results = record.results.suffix(Self.resultLimit).map {
            Result(
                startedAtUnixNanos: $0.startedAtUnixNanos,
                endedAtUnixNanos: $0.endedAtUnixNanos,
                exitCode: $0.exitCode,
                output: $0.output
            )
        }
        probes = record.probes
        runBootNanos = record.runBootNanos
        probedBootNanos = record.probedBootNanos
    }
}

extension HealthCheck {
    package var message: SupervisorV1.HealthCheck {
        SupervisorV1.HealthCheck(
            test: test,
            intervalMillis: intervalMillis,
            timeoutMillis: timeoutMillis,
            retries: retries,
            startPeriodMillis: startPeriodMillis,
            startIntervalMillis: startIntervalMillis
        )
    }

    package init(_ message: SupervisorV1.HealthCheck) {
        self.init(
            test: message.test,
            intervalMillis: message.intervalMillis,
            timeoutMillis: message.timeoutMillis,
            retries: message.retries,
            startPeriodMillis: message.startPeriodMillis,
            startIntervalMillis: message.startIntervalMillis
        )
    }
}
