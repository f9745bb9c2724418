// SPDX-License-Identifier: Apache-2.0
internal import RPC

/// The deadline of the call that is being served: calls to other daemons on its behalf end with it.
enum CallDeadline {
    @TaskLocal static var current: Deadline?

    /// What work without a caller's deadline may take.
    private static let usual = Duration.seconds(60)
    /// Clean-up after a call whose time is up still gets this much.
    private static let least = Duration.seconds(5)

    /// For a call that ends by itself soon.
    static var options: CallOptions { CallOptions(timeout: remaining ?? usual, waitForReady: true) }

    /// For a call that may rightly take as long as its caller waits.
    static var patientOptions: CallOptions { CallOptions(timeout: remaining, waitForReady: true) }

    /// For a call that is rightly endless, whoever waits: it ends by cancellation.
    static var endlessOptions: CallOptions { CallOptions(timeout: nil, waitForReady: true) }

    private static var remaining: Duration? { current.map { max(least, $0.remaining) } }
}
