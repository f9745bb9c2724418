// SPDX-License-Identifier: Apache-2.0

/// The engine's view of the daemon that runs containers; every call speaks of the engine's own containers only.
///
/// Unary calls wait for a supervisor that is restarting, within the caller's deadline. All throw `PeerError`.
package protocol ContainerSupervisor: ContainerFiles {
    /// Repeating it with the same content is harmless.
    func create(_ container: ContainerOrder) async throws(PeerError) -> SupervisedContainer
    /// One that was made provisionally outlives the machine's power from now on.
    func keep(_ id: ContainerID) async throws(PeerError)
    /// Returns once the program was executed, or failed to be.
    func start(_ id: ContainerID, key: String) async throws(PeerError) -> SupervisedContainer
    /// Returns when it has exited. Nil and 0 stand for the container's own.
    func stop(
        _ id: ContainerID,
        timeoutMillis: UInt32?,
        signal: Int32
    ) async throws(PeerError) -> SupervisedContainer
    func kill(_ id: ContainerID, signal: Int32) async throws(PeerError) -> SupervisedContainer
    /// Returns once every process stands still. Repeating it is harmless.
    func pause(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer
    func unpause(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer
    /// All or nothing; repeating it is harmless.
    /// - Parameter resources: Members of an OCI `linux.resources` that replace those that are there; empty: no change.
    /// - Parameter restart: Nil: no change.
    func update(
        _ id: ContainerID,
        resources: [UInt8],
        restart: ContainerSettings.RestartPolicy?
    ) async throws(PeerError) -> SupervisedContainer
    /// Those that do not run are left out.
    func usage(of ids: [ContainerID]) async throws(PeerError) -> [SupervisedUsage]
    /// - Parameter isFinal: One of this id that comes later is refused.
    func delete(_ id: ContainerID, force: Bool, isFinal: Bool) async throws(PeerError)
    func get(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer
    func list() async throws(PeerError) -> SupervisedList
    /// Rightly endless.
    func wait(_ id: ContainerID, until condition: WaitCondition) async throws(PeerError) -> SupervisedExit
    /// Repeating it with the same `exec` does not start a second process.
    func exec(_ order: ExecOrder) async throws(PeerError) -> SupervisedExec
    func getExec(_ exec: ContainerID, of container: ContainerID) async throws(PeerError) -> SupervisedExec
    /// Rightly endless.
    func waitExec(_ exec: ContainerID, of container: ContainerID) async throws(PeerError) -> SupervisedExec
    /// What is said first on a keeper's stream socket.
    func streamRequest(_ order: StreamOrder) -> [UInt8]
    /// - Parameter exec: Nil: the container's own terminal.
    func resizeTerminal(of container: ContainerID, exec: ContainerID?, to size: ConsoleSize)
        async throws(PeerError)
    /// Hands over each event after `position`, in order, until cancelled; `.outOfRange` when that is gone.
    func followJournal(
        after position: JournalPosition,
        _ receive: @Sendable (JournalEvent) async throws -> Void
    ) async throws
    func acknowledge(_ position: JournalPosition) async throws(PeerError)
    func version() async throws(PeerError) -> SupervisorVersion
}

package enum WaitCondition: String, Sendable {
    case notRunning = "not-running"
    case nextExit = "next-exit"
    case removed

    /// - Throws: `.invalidField` for an unknown one; empty is `.notRunning`.
    package init(name: String) throws(EngineError) {
        guard let condition = name.isEmpty ? .notRunning : WaitCondition(rawValue: name) else {
            throw .invalidField(
                "condition",
                "unknown wait condition \"\(name)\"",
                advice: WaitCondition.advice
            )
        }
        self = condition
    }

    private static let advice = "use not-running, next-exit or removed"
}

/// A container to be made.
package struct ContainerOrder: Sendable {
    package var id: ContainerID
    /// An OCI runtime configuration.
    package var specification: [UInt8]
    package var rootMounts: [RootMount]
    package var opensStdin: Bool
    package var stdinOnce: Bool
    package var restart: ContainerSettings.RestartPolicy
    package var autoRemove: Bool
    /// It need not be on the disk until it is kept.
    package var isProvisional = false
    package var stopSignal: Int32
    package var stopTimeoutMillis: UInt32
    package var output = OutputOrder()
    package var joined: [JoinedNamespace] = []
    /// Empty: the suite's.
    package var cgroupParent = ""
    package var health: HealthOrder?
    /// Not empty: it is started, too, as by a start with this key; the answer is then that of the start.
    package var startKey = ""
}

/// One mount of a root file system, as mount(2) has it.
package struct RootMount: Hashable, Sendable {
    package var type: String
    package var source: String
    package var target: String
    package var options: [String]

    package init(type: String, source: String, target: String, options: [String]) {
        self.type = type
        self.source = source
        self.target = target
        self.options = options
    }
}

package enum RunPhase: Hashable, Sendable {
    case created, running, paused, restarting, exited

    package var isRunning: Bool { self == .running || self == .paused }
}

/// How a run ended.
package struct SupervisedExit: Hashable, Sendable {
    /// 0–255; 128 + n when a signal n ended it.
    package var code: UInt32
    package var signal: Int32
    /// False when neither the keeper nor the kernel could tell.
    package var isKnown: Bool
    package var outOfMemory: Bool
    package var atUnixNanos: Int64
    /// Why the program could not be executed; empty where it was.
    package var failure: String

    package init(
        code: UInt32,
        signal: Int32 = 0,
        isKnown: Bool = true,
        outOfMemory: Bool = false,
        atUnixNanos: Int64 = 0,
        failure: String = ""
    ) {
        self.code = code
        self.signal = signal
        self.isKnown = isKnown
        self.outOfMemory = outOfMemory
        self.atUnixNanos = atUnixNanos
        self.failure = failure
    }
}

/// A container as the supervisor sees it now.
package struct SupervisedContainer: Hashable, Sendable {
    package var id: ContainerID
    package var phase: RunPhase
    package var pid: UInt32 = 0
    package var startedAtUnixNanos: Int64 = 0
    package var exit: SupervisedExit?
    /// Numbers the runs from 1; 0 when it never ran.
    package var run: UInt64 = 0
    package var restartCount: UInt32 = 0
    package var removalWanted = false
    package var outputDirectory = ""
    package var streamSocket = ""
    /// Nil without a health check, and before its first start.
    package var health: SupervisedHealth?

    package init(id: ContainerID, phase: RunPhase) {
        self.id = id
        self.phase = phase
    }
}

/// All the engine's containers, and the journal's place that the list reflects.
package struct SupervisedList: Sendable {
    package var containers: [SupervisedContainer]
    package var position: JournalPosition

    package init(containers: [SupervisedContainer], position: JournalPosition) {
        self.containers = containers
        self.position = position
    }
}

/// A place in the supervisor's journal, or in the image store's; an empty journal id is the beginning of whichever there is.
package struct JournalPosition: Hashable, Sendable {
    package var journal: String
    package var sequence: UInt64

    package init(journal: String, sequence: UInt64) {
        self.journal = journal
        self.sequence = sequence
    }
}

/// One event of the supervisor's journal.
package struct JournalEvent: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case create, start, die, outOfMemory, kill, stop, restart, delete, execStart, execDie
        case removalWanted, outputBlocked, outputResumed, adopted, unknown
        case pause, unpause, healthStatus, update
    }

    package var position: JournalPosition
    package var wallUnixNanos: Int64
    package var container: ContainerID
    package var action: Action
    package var exit: SupervisedExit?
    package var exec = ""
    package var signal: Int32 = 0
    /// With `healthStatus`.
    package var health = HealthStatus.none

    package init(position: JournalPosition, wallUnixNanos: Int64, container: ContainerID, action: Action) {
        self.position = position
        self.wallUnixNanos = wallUnixNanos
        self.container = container
        self.action = action
    }
}

/// A process to be run in a running container.
package struct ExecOrder: Sendable {
    package var container: ContainerID
    package var exec: ContainerID
    /// A `process` object of the OCI runtime specification.
    package var process: [UInt8]
    package var opensStdin: Bool
    package var isDetached: Bool
}

/// An exec as the supervisor sees it now.
package struct SupervisedExec: Sendable {
    package var isRunning: Bool
    package var pid: UInt32
    package var exit: SupervisedExit?
    package var streamSocket: String

    package init(isRunning: Bool, pid: UInt32, exit: SupervisedExit?, streamSocket: String) {
        self.isRunning = isRunning
        self.pid = pid
        self.exit = exit
        self.streamSocket = streamSocket
    }
}

package struct SupervisorVersion: Sendable {
    package var release: String
    /// "v1", "hybrid" or "v2".
    package var cgroupLayout: String

    package init(release: String, cgroupLayout: String) {
        self.release = release
        self.cgroupLayout = cgroupLayout
    }
}
