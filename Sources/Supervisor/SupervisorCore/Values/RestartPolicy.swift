// SPDX-License-Identifier: Apache-2.0

/// Whether a container that has exited is started again.
package struct RestartPolicy: Hashable, Sendable {
    package enum Mode: UInt32, Hashable, Sendable {
        case no = 0
        case always = 1
        case unlessStopped = 2
        case onFailure = 3
    }

    package var mode: Mode
    /// With `onFailure`: the most restarts; 0 is without limit.
    package var maximumRetries: UInt32

    package init(mode: Mode, maximumRetries: UInt32 = 0) {
        self.mode = mode
        self.maximumRetries = maximumRetries
    }

    package static let never = RestartPolicy(mode: .no)

    /// - Parameter restartCount: How often it was restarted already.
    package func restarts(after exit: ExitStatus, restartCount: UInt32) -> Bool {
        switch mode {
        case .no: false
        case .always, .unlessStopped: true
        case .onFailure: exit.code != 0 && (maximumRetries == 0 || restartCount < maximumRetries)
        }
    }
}

/// How long to wait before the next restart: 100 ms, doubled each time up to a minute, and 100 ms again after
/// a run of ten seconds.
package enum BackOff {
    package static let firstNanos: Int64 = 100_000_000
    package static let longestNanos: Int64 = 60_000_000_000
    package static let resetAfterNanos: Int64 = 10_000_000_000

    /// - Parameters:
    ///   - previous: The last wait; 0 for none.
    ///   - ranNanos: How long the last run took.
    package static func next(after previous: Int64, ranNanos: Int64) -> Int64 {
        previous == 0 || ranNanos >= resetAfterNanos ? firstNanos : min(previous * 2, longestNanos)
    }
}
