// SPDX-License-Identifier: Apache-2.0

/// Slows down the taking of output that comes without pause in small pieces.
///
/// A program that writes line after line would wake the keeper for each, and be stopped for it each time: half of the
/// time goes into that. So a busy source gets a pipe that holds a millisecond of a gigabyte a second, and is looked at
/// every millisecond; one that is quiet, or whose pipe cannot grow, is taken from at once.
package struct OutputPace {
    /// What comes within that is a stream.
    private static let gapNanos: Int64 = 3_000_000
    private static let restNanos: Int64 = 1_000_000
    private static let streamLength = 8
    /// More at once needs no rest: the writer is the faster one.
    private static let enoughBytes = 512 << 10

    private var lastAt: Int64 = 0
    private var length = 0
    /// Whether the pipe could be made large; nil: not tried.
    private var isLarge: Bool?
    /// In boot time.
    package private(set) var restsUntil: Int64?

    package init() {}

    /// Bytes were taken from the source.
    /// - Parameter grow: Makes the pipe large, and says whether it is.
    package mutating func note(_ count: Int, now: Int64, grow: () -> Bool) {
        length = now - lastAt < Self.gapNanos ? length + 1 : 0
        lastAt = now
        restsUntil = nil
        guard length >= Self.streamLength, count < Self.enoughBytes else { return }
        if isLarge == nil { isLarge = grow() }
        if isLarge == true { restsUntil = now + Self.restNanos }
    }
}
