// SPDX-License-Identifier: Apache-2.0

/// An instant on both clocks.
package struct Moment: Hashable, Sendable {
    package let wallUnixNanos: Int64
    package let bootNanos: Int64

    package init(wallUnixNanos: Int64, bootNanos: Int64) {
        self.wallUnixNanos = wallUnixNanos
        self.bootNanos = bootNanos
    }
}

/// An event that a keeper recorded, numbered from 1 over all keepers of the container.
package struct KeeperNews: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case started(run: UInt64, pid: Int32, atUnixNanos: Int64)
        case startFailed(run: UInt64, StartFailure)
        case exited(run: UInt64, ExitStatus)
        case execStarted(exec: String)
        case execExited(exec: String, ExitStatus)
        case execFailed(exec: String)
        case outOfMemory(run: UInt64)
        case outputBlocked
        case outputResumed
        case adopted
        /// Something that a later release's keeper says.
        case unknown
    }

    package let sequence: UInt64
    package let moment: Moment
    package let kind: Kind

    package init(sequence: UInt64, moment: Moment, kind: Kind) {
        self.sequence = sequence
        self.moment = moment
        self.kind = kind
    }
}
