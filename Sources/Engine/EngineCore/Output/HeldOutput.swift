// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import Logs
internal import System

/// Keeps a container from deleting output that a reader has not received yet.
struct HeldOutput: ~Copyable {
    private var hold: SpoolHold?
    private var isLogged = false
    private let directory: SpoolDirectory
    private let receipts: OutputReceipts
    private let logger: Logger

    init(_ directory: SpoolDirectory, _ receipts: OutputReceipts, _ logger: Logger) {
        self.directory = directory
        self.receipts = receipts
        self.logger = logger
    }

    /// Begins to hold what is from `position` on, unless it did before, or takes up what another engine has left: whose engine
    /// died before he heard of anything comes back as if for the first time. Where neither can be had (a full disk), the
    /// reader is told of what he misses.
    mutating func begin(at position: LogPosition) {
        guard hold == nil, !receipts.isComplete else { return }
        do throws(SystemError) {
            hold = SpoolHold.takeUp(in: directory, at: position.segment)
            if hold == nil { hold = try SpoolHold.begin(in: directory, from: position.segment) }
        } catch {
            if !isLogged {
                logger.warning("output is not held for a reader", metadata: ["error": "\(error)"])
            }
            isLogged = true
        }
    }

    /// Lets go of the segments of which the reader has everything.
    mutating func release() {
        if receipts.isComplete {
            hold = nil
            return
        }
        let segment = receipts.position.segment
        guard segment > hold?.segment ?? .max else { return }
        do throws(SystemError) { try hold?.move(to: segment) } catch {
            logger.warning("output is held for a reader for too long", metadata: ["error": "\(error)"])
        }
    }

    /// What is held stays so for the next engine, to which the client will come back.
    mutating func leave() { hold?.leave() }
}
