// SPDX-License-Identifier: Apache-2.0

/// How long a container is without a keeper when one has ended: not at all after one that lived for a while; the longer
/// the sooner they end one after another, up to five seconds.
package struct KeeperPause: Sendable {
    private static let firstNanos: Int64 = 100_000_000
    private static let longestNanos: Int64 = 5_000_000_000

    private var nanos: Int64 = 0

    package init() {}

    /// - Parameter livedNanos: How long the last keeper served; 0 for one that could not be started.
    package mutating func next(afterLifeOf livedNanos: Int64) -> Int64 {
        let doubled = max(nanos * 2, Self.firstNanos)
        nanos = min(max(doubled - livedNanos, 0), Self.longestNanos)
        return nanos
    }
}
