// SPDX-License-Identifier: Apache-2.0

/// One daemon's life under petrel-init: a pure value, told what happened and asked what is due.
///
/// ```
///            start                spawned             READY=1
///  stopped ────────▶ due (backOff) ────────▶ starting ────────▶ ready
///     ▲                  ▲                      │                 │
///     │ exit, not wanted │ exit, wanted         └───── exit ──────┤
///     └────────────── stopping ◀───────────── stop, restart ──────┘
/// ```
/// Times are boot time in nanoseconds.
package struct DaemonLifecycle: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case stopped
        /// Wants to run, and is spawned once `until` has come.
        case backOff(until: Int64)
        case starting(pid: Int32, since: Int64)
        case ready(pid: Int32, since: Int64)
        /// Was sent SIGTERM; SIGKILL follows at `killAt`.
        case stopping(pid: Int32, killAt: Int64)
    }

    package private(set) var phase: Phase = .stopped
    /// Whether the daemon shall run; a death while true leads to another start.
    package private(set) var isWanted = false
    /// Starts after a death, since petrel-init manages this daemon.
    package private(set) var restarts: UInt32
    package private(set) var lastWaitStatus: Int32?
    package private(set) var statusText = ""
    private var delay = RestartDelay()

    package init(restarts: UInt32 = 0) { self.restarts = restarts }

    /// How long a daemon may take to end after SIGTERM.
    package static let stopGraceNanos: Int64 = 15_000_000_000
    /// Longest STATUS= text that is kept, in bytes.
    package static let statusTextLimit = 256

    package var pid: Int32? {
        switch phase {
        case .stopped, .backOff: nil
        case .starting(let pid, _), .ready(let pid, _), .stopping(let pid, _): pid
        }
    }

    package var isReady: Bool {
        if case .ready = phase { return true }
        return false
    }

    /// Whether a process is there that was not told to stop yet.
    package var isUp: Bool {
        switch phase {
        case .starting, .ready: true
        case .stopped, .backOff, .stopping: false
        }
    }

    /// When something is due by itself.
    package var deadline: Int64? {
        switch phase {
        case .backOff(let until): until
        case .stopping(_, let killAt): killAt == .max ? nil : killAt
        case .stopped, .starting, .ready: nil
        }
    }

    // MARK: What somebody asks for

    /// Shall run: at once if it was stopped or was waiting. Harmless while it runs.
    package mutating func want(now: Int64) {
        isWanted = true
        switch phase {
        case .stopped, .backOff:
            delay = RestartDelay()
            phase = .backOff(until: now)
        case .starting, .ready, .stopping: break
        }
    }

    /// Shall not run. A process that is there stays until `terminated` says that it was told.
    package mutating func unwant() {
        isWanted = false
        if case .backOff = phase { phase = .stopped }
    }

    /// SIGTERM was sent.
    package mutating func terminated(now: Int64) {
        guard isUp, let pid else { return }
        phase = .stopping(pid: pid, killAt: now + Self.stopGraceNanos)
    }

    /// SIGKILL was sent; nothing is left to do but to wait.
    package mutating func killed() {
        guard case .stopping(let pid, _) = phase else { return }
        phase = .stopping(pid: pid, killAt: .max)
    }

    // MARK: What happened

    package mutating func spawned(pid: Int32, now: Int64) {
        statusText = ""
        phase = .starting(pid: pid, since: now)
    }

    /// It could not even be started: counts as a death.
    package mutating func spawnFailed(now: Int64) {
        guard isWanted else { return phase = .stopped }
        restarts &+= 1
        phase = .backOff(until: now + delay.next(lastedNanos: 0))
    }

    /// A process that an earlier petrel-init started, found alive.
    package mutating func adopted(pid: Int32, ready: Bool, since: Int64) {
        isWanted = true
        phase = ready ? .ready(pid: pid, since: since) : .starting(pid: pid, since: since)
    }

    package mutating func becameReady() {
        guard case .starting(let pid, let since) = phase else { return }
        phase = .ready(pid: pid, since: since)
    }

    /// Its STATUS= line; longer text is cut.
    package mutating func report(status: String) {
        statusText = String(decoding: status.utf8.prefix(Self.statusTextLimit), as: UTF8.self)
    }

    /// The process has ended.
    /// - Parameter status: The wait status; nil when the kernel could not tell.
    package mutating func exited(status: Int32?, now: Int64) {
        lastWaitStatus = status
        statusText = ""
        switch phase {
        case .stopped, .backOff: return
        case .stopping:
            // A restart that was asked for is no failure and waits for nothing.
            delay = RestartDelay()
            phase = isWanted ? .backOff(until: now) : .stopped
        case .starting(_, let since), .ready(_, let since):
            guard isWanted else { return phase = .stopped }
            restarts &+= 1
            phase = .backOff(until: now + delay.next(lastedNanos: now - since))
        }
    }
}

/// How long to wait before the next start: nothing at first, then 100 ms, doubled each time up to 5 s; a process that
/// lasted for 10 s begins anew.
package struct RestartDelay: Hashable, Sendable {
    package static let firstNanos: Int64 = 100_000_000
    package static let longestNanos: Int64 = 5_000_000_000
    package static let healthyNanos: Int64 = 10_000_000_000

    private var upcoming: Int64 = 0

    package init() {}

    package mutating func next(lastedNanos: Int64) -> Int64 {
        if lastedNanos >= Self.healthyNanos { upcoming = 0 }
        let delay = upcoming
        upcoming = upcoming == 0 ? Self.firstNanos : min(upcoming * 2, Self.longestNanos)
        return delay
    }
}
