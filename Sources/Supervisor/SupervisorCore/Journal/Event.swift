// SPDX-License-Identifier: Apache-2.0

/// Something that happened to a container.
package struct Event: Hashable, Sendable {
    package enum Action: UInt32, Hashable, Sendable {
        case create = 1
        case start = 2
        case die = 3
        case outOfMemory = 4
        case kill = 5
        case stop = 6
        case restart = 7
        case delete = 8
        case execStart = 9
        case execDie = 10
        case removalWanted = 11
        case outputBlocked = 12
        case outputResumed = 13
        case adopted = 14
        case pause = 40
        case unpause = 41
        case healthStatus = 42
        case update = 43
    }

    /// Its place in the journal, from 1; 0 before it is there.
    package var sequence: UInt64 = 0
    package var wallUnixNanos: Int64
    package var bootNanos: Int64
    package var owner: String
    package var container: String
    package var action: Action
    package var exit: ExitStatus?
    package var exec: String = ""
    package var signal: Int32 = 0
    package var run: UInt64 = 0
    /// With `healthStatus`.
    package var health: Health.Status?
    /// Numbers the events of one container from 1. The journal takes each number once.
    package var number: UInt64

    package init(
        sequence: UInt64 = 0,
        wallUnixNanos: Int64,
        bootNanos: Int64,
        owner: String,
        container: String,
        action: Action,
        exit: ExitStatus? = nil,
        exec: String = "",
        signal: Int32 = 0,
        run: UInt64 = 0,
        health: Health.Status? = nil,
        number: UInt64
    ) {
        self.sequence = sequence
        self.wallUnixNanos = wallUnixNanos
        self.bootNanos = bootNanos
        self.owner = owner
        self.container = container
        self.action = action
        self.exit = exit
        self.exec = exec
        self.signal = signal
        self.run = run
        self.health = health
        self.number = number
    }
}
