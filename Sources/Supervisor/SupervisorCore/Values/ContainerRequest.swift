// SPDX-License-Identifier: Apache-2.0

/// What a container's owner asks for when it creates one. Fixed for the container's life.
package struct ContainerRequest: Hashable, Sendable {
    package struct Mount: Hashable, Sendable {
        package let type: String
        package let source: String
        package let target: String
        package let options: [String]

        package init(type: String, source: String, target: String, options: [String]) {
            self.type = type
            self.source = source
            self.target = target
            self.options = options
        }
    }

    package struct Output: Hashable, Sendable {
        /// 0: the default.
        package var maximumSegmentBytes: UInt64 = 0
        /// 0: the default.
        package var maximumSegments: UInt32 = 0
        package var isDiscarded = false
        /// A full disk does not hold the container up: what it has no room for is dropped and counted.
        package var dropsWhenFull = false
        /// Of the first run.
        package var expectsReader = false

        package init(
            maximumSegmentBytes: UInt64 = 0,
            maximumSegments: UInt32 = 0,
            isDiscarded: Bool = false,
            dropsWhenFull: Bool = false,
            expectsReader: Bool = false
        ) {
            self.maximumSegmentBytes = maximumSegmentBytes
            self.maximumSegments = maximumSegments
            self.isDiscarded = isDiscarded
            self.dropsWhenFull = dropsWhenFull
            self.expectsReader = expectsReader
        }
    }

    /// A namespace of another container of the same owner, found anew at each start.
    package struct Joined: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable { case network, pid, ipc }

        package let kind: Kind
        package let container: ContainerID

        package init(kind: Kind, container: ContainerID) {
            self.kind = kind
            self.container = container
        }
    }

    package var id: ContainerID
    package var owner: String
    package var key: String
    /// The OCI runtime configuration, as it came.
    package var specification: [UInt8]
    package var rootfs: [Mount] = []
    package var opensStdin = false
    package var stdinOnce = false
    package var restartPolicy = RestartPolicy.never
    package var isAutoRemoved = false
    package var output = Output()
    package var stopSignal: Int32 = 15
    package var stopTimeoutMillis: UInt32 = 10_000
    package var annotations: [String: String] = [:]
    package var joined: [Joined] = []
    /// The control group in which its own is made; empty: the suite's.
    package var cgroupParent = ""
    package var healthCheck: HealthCheck?

    package init(id: ContainerID, owner: String, key: String, specification: [UInt8]) {
        self.id = id
        self.owner = owner
        self.key = key
        self.specification = specification
    }
}
