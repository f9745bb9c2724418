// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import Logs
internal import System

/// Keeps a container from deleting output that a reader has not received yet.
///
/// What was handed over may still be on its way to the client, who asks for it again should this engine end now: a segment is
/// let go of when two stream's windows were handed over after it.
struct HeldOutput: ~Copyable {
    /// More than what waits to be sent, is on its way, and waits to be read.
    private static let underWayBytes = SpoolLimits.heldBytes / 2

    private var hold: SpoolHold?
    private var isLogged = false
    /// Segments that were begun and may not be let go of yet, in order, and how much was handed over before each.
    private var begun: [(segment: UInt64, before: UInt64)] = []
    private var handed: UInt64 = 0
    private let directory: SpoolDirectory
    private let limits: SpoolLimits
    private let logger: Logger

    init(_ directory: SpoolDirectory, _ limits: SpoolLimits, _ logger: Logger) {
        self.directory = directory
        self.limits = limits
        self.logger = logger
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
            if !isLogged {
                logger.warning("output is not held for a reader", metadata: ["error": "\(error)"])
            }
            isLogged = true
        }
    }

    /// - Parameter position: After the bytes that were handed over.
    mutating func note(_ count: Int, to position: LogPosition) {
        handed += UInt64(count)
        if begun.last?.segment != position.segment {
            begun.append((position.segment, handed - min(handed, position.offset)))
        }
        while begun.count > 1, begun[1].before + Self.underWayBytes <= handed { begun.removeFirst() }
        if let first = begun.first { release(before: first.segment) }
    }

    /// There is nothing behind `position` just now. A container whose pieces of output are small closes segments long before
    /// they are full, and may be waiting.
    mutating func noteEnd(at position: LogPosition) {
        guard begun.count > 1, let count = try? directory.segments().count, count >= limits.heldSegments
        else { return }
        begun.removeFirst(begun.count - 1)
        release(before: position.segment)
    }

    /// What is held stays so for the next engine, to which the client will come back.
    mutating func leave() { hold?.leave() }

    private mutating func release(before segment: UInt64) {
        guard segment > hold?.segment ?? .max else { return }
        do throws(SystemError) { try hold?.move(to: segment) } catch {
            logger.warning("output is held for a reader for too long", metadata: ["error": "\(error)"])
        }
    }
}
