// SPDX-License-Identifier: Apache-2.0

/// Docker's words.
package enum HealthStatus: String, Hashable, Sendable, CaseIterable {
    case none, starting, healthy, unhealthy
}

/// What a container's health check has found.
package struct SupervisedHealth: Hashable, Sendable {
    /// One probe that has ended.
    package struct Result: Hashable, Sendable {
        package var startedAtUnixNanos: Int64
        package var endedAtUnixNanos: Int64
        /// -1: it could not be executed, or took too long.
        package var exitCode: Int32
        package var output: [UInt8]

        package init(startedAtUnixNanos: Int64, endedAtUnixNanos: Int64, exitCode: Int32, output: [UInt8]) {
            self.startedAtUnixNanos = startedAtUnixNanos
            self.endedAtUnixNanos = endedAtUnixNanos
            self.exitCode = exitCode
            self.output = output
        }
    }

    package var status: HealthStatus
    package var failingStreak: UInt32
    /// The newest last; empty in a list.
    package var results: [Result]

    package init(status: HealthStatus, failingStreak: UInt32 = 0, results: [Result] = []) {
        self.status = status
        self.failingStreak = failingStreak
        self.results = results
    }
}

/// What a running container's processes use.
package struct SupervisedUsage: Hashable, Sendable {
    package var id: ContainerID
    package var pid: UInt32 = 0
    /// In the host's process namespace.
    package var processes: [UInt32] = []
    package var cpuNanos: UInt64 = 0
    package var memoryBytes: UInt64 = 0
    /// The part of it that is cache nobody has used lately.
    package var inactiveFileBytes: UInt64 = 0
    /// 0: none but the machine's.
    package var memoryLimitBytes: UInt64 = 0
    package var processCount: UInt64 = 0
    package var readBytes: UInt64 = 0
    package var writtenBytes: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    package var sentBytes: UInt64 = 0
    /// When it was read.
    package var bootNanos: Int64 = 0

    package init(id: ContainerID) { self.id = id }
}
