// SPDX-License-Identifier: Apache-2.0

/// Spans of time as the Docker command line writes them.
package enum HumanDuration {
    /// `Less than a second`, `5 minutes`, `About an hour`, `3 weeks`.
    /// - Source: docker/go-units `HumanDuration`.
    package static func text(nanos: Int64) -> String {
        let seconds = nanos / 1_000_000_000
        if seconds < 1 { return "Less than a second" }
        if seconds == 1 { return "1 second" }
        if seconds < 60 { return "\(seconds) seconds" }
        let minutes = seconds / 60
        if minutes == 1 { return "About a minute" }
        if minutes < 60 { return "\(minutes) minutes" }
        let hours = (seconds + 1800) / 3600
        if hours == 1 { return "About an hour" }
        if hours < 48 { return "\(hours) hours" }
        if hours < 24 * 7 * 2 { return "\(hours / 24) days" }
        if hours < 24 * 30 * 2 { return "\(hours / 24 / 7) weeks" }
        if hours < 24 * 365 * 2 { return "\(hours / 24 / 30) months" }
        return "\(seconds / 3600 / 24 / 365) years"
    }

    /// `3 minutes ago`, from two moments of wall time; a moment to come counts as now.
    package static func ago(_ moment: Int64, now: Int64) -> String {
        // An image's moment may be any.
        let (passed, isTooLong) = now.subtractingReportingOverflow(moment)
        return text(nanos: isTooLong ? (moment < 0 ? .max : 0) : max(0, passed)) + " ago"
    }

    /// `Up 2 minutes`, `Exited (0) 3 seconds ago`, `Created`: a container's status.
    /// - Parameters: Wall time in nanoseconds since 1970; 0 for never.
    /// - Parameter health: "starting", "healthy", "unhealthy"; empty without a health check.
    package static func status(
        state: String,
        exitCode: UInt32,
        startedAt: Int64,
        finishedAt: Int64,
        health: String = "",
        now: Int64
    ) -> String {
        switch state {
        case "running": "Up " + text(nanos: max(0, now - startedAt)) + healthText(health)
        case "paused": "Up " + text(nanos: max(0, now - startedAt)) + " (Paused)"
        case "restarting": "Restarting (\(exitCode)) " + ago(finishedAt, now: now)
        case "removing": "Removal In Progress"
        case "dead": "Dead"
        case "exited":
            finishedAt == 0 ? "Exited (\(exitCode))" : "Exited (\(exitCode)) " + ago(finishedAt, now: now)
        default: "Created"
        }
    }

    private static func healthText(_ health: String) -> String {
        switch health {
        case "": ""
        case "starting": " (health: starting)"
        default: " (\(health))"
        }
    }
}
