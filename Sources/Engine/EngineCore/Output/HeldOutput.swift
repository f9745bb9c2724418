// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import Logs
internal import System

/// Keeps a container from deleting output that a reader has not received yet.
///
/// What was handed over may still be on its way to the client, who asks for it again should this engine end now: a segment is
/// let go of when so much of the next one was handed over, too.
struct HeldOutput: ~Copyable {
    /// Twice a stream's window: what waits to be sent is more than it.
    private static let underWayBytes: UInt64 = 2 << 20

    private var hold: SpoolHold?
    private var isLogged = false
    private let directory: SpoolDirectory
    private let underWayBytes: UInt64
    private let logger: Logger

    /// - Parameter segmentBytes: Of a full segment.
    init(_ directory: SpoolDirectory, segmentBytes: UInt64, _ logger: Logger) {
        self.directory = directory
        self.logger = logger
        underWayBytes = min(HeldOutput.underWayBytes, segmentBytes)
    }

    /// Begins to hold what is from `position` on, unless it did before. Where that cannot be had (a full disk), the reader is
    /// told of what he misses.
    /// - Parameter isResumed: An earlier reading of the same client ended with its engine.
    mutating func begin(at position: LogPosition, isResumed: Bool) {
        guard hold == nil else { return }
        do throws(SystemError) {
            hold = isResumed ? SpoolHold.takeUp(in: directory, at: position.segment) : nil
            if hold == nil { hold = try SpoolHold.begin(in: directory, from: position.segment) }
        } catch {
            if !isLogged { logger.warning("output is not held for a reader", metadata: ["error": "\(error)"]) }
            isLogged = true
        }
    }

    /// - Parameter isAtEnd: There is nothing behind `position` yet. A segment may have been closed long before it was full.
    mutating func move(to position: LogPosition, isAtEnd: Bool) {
        let isReceived = isAtEnd || position.offset >= underWayBytes
        let segment = isReceived || position.segment == 0 ? position.segment : position.segment - 1
        guard segment > hold?.segment ?? .max else { return }
        do throws(SystemError) { try hold?.move(to: segment) } catch {
            logger.warning("output is held for a reader for too long", metadata: ["error": "\(error)"])
        }
    }
}
