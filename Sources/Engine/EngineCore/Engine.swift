// SPDX-License-Identifier: Apache-2.0
package import Events
package import Logging
package import Suite
internal import Synchronization
package import System

/// Containers as users know them: names, labels, configuration, and the events about them.
///
/// Its own state is all in the database; what runs is asked of the supervisor each time and never remembered. A
/// container's making and removal are rows first (`creating`, `removing`), then idempotent steps, then the row's last
/// state, so that `run` can undo or finish whatever an earlier process left. Any task may call any operation.
package final class Engine: Sendable {
    let database: EngineDatabase
    let supervisor: any ContainerSupervisor
    let images: any ImageSource
    let poller: Poller
    let faults: FaultPoints
    let logger: Logger
    let location: SuiteLocation
    /// `ROOT/engine`.
    let directory: String
    let release: String
    let host: Host
    /// The machine's present one.
    let boot: String
    /// For what holds up no thread; nil: the shared pool.
    private let executor: (any TaskExecutor)?
    /// Announced whenever events were stored or rows have changed.
    let changes = Changes()
    let readers = OutputReaders()
    let knownImages = KnownImages()
    /// Containers whose making or removal this process is busy with, and how many tasks of it; repair leaves them alone.
    let busy = Mutex<[ContainerID: Int]>([:])
    /// Something could not be finished, and is repair's to do soon.
    let isRepairWanted = Mutex(false)
    /// Asked of the supervisor once: a machine keeps its layout while it runs.
    private let knownLayout = Mutex<String?>(nil)
    /// `auto_remove` containers that have ended for good.
    let wantedRemovals = AsyncStream<WantedRemoval>.makeStream()
    /// Containers that were made just now.
    let made = AsyncStream<ContainerRow>.makeStream()
    /// Where the journal pump has got to, and which containers' ends it has seen.
    let journal = JournalProgress()
    /// This process is about to go, and another one follows: calls that are cut off are not given up by their clients.
    private let stopping = Mutex(false)

    /// Opens the database.
    /// - Parameter executor: Where work goes on that nobody waits for in a call; it holds up no thread.
    /// - Throws: `.newerSchema`, `.database`, `.file`.
    package init(
        at location: SuiteLocation,
        release: String,
        supervisor: any ContainerSupervisor,
        images: any ImageSource,
        poller: Poller,
        faults: FaultPoints,
        logger: Logger,
        host: Host = .current(),
        executor: (any TaskExecutor)? = nil
    ) throws(EngineError) {
        let directory = location.directory(of: "engine")
        do {
            try Files.makeDirectories(directory + "/containers", mode: 0o711)
            boot = try Boot.id()
        } catch {
            throw .file(error)
        }
        self.database = try EngineDatabase(path: directory + "/engine.db", reserve: location.reserve)
        self.supervisor = supervisor
        self.images = images
        self.poller = poller
        self.location = location
        self.faults = faults
        self.logger = logger
        self.directory = directory
        self.release = release
        self.host = host
        self.executor = executor
    }

    /// Repairs what an earlier process left, calls `ready`, then reads the supervisor's journal, removes what wants to
    /// be removed, and repairs again from time to time; until cancelled.
    package func run(ready: @Sendable @escaping () -> Void) async throws {
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let begun = AsyncStream<Begun>.makeStream()
                group.addTask(executorPreference: self.executor) {
                    for await begun in begun.stream { try await self.removeWanted(since: begun) }
                }
                group.addTask(executorPreference: self.executor) { try await self.readJournal() }
                group.addTask { try await self.acknowledgeJournal() }
                group.addTask { try await self.readImageEvents() }
                group.addTask(executorPreference: self.executor) { try await self.keepMade() }
                group.addTask {
                    try await self.repairRepeatedly {
                        // From here on, whoever was cut off can come back.
                        begun.continuation.yield(Begun())
                        begun.continuation.finish()
                        ready()
                    }
                }
                try await group.waitForAll()
            }
        } onCancel: {
            noteStopping()
        }
    }

    /// From now on calls end because this engine does: their clients will come back to the next one, and what is kept for them,
    /// and what they write to, stays as it is. To be called before the first call is cut off.
    package func noteStopping() { stopping.withLock { $0 = true } }

    private static let keepingPatience = Duration.seconds(2)

    var isStopping: Bool { stopping.withLock { $0 } }

    /// The visible container of this name, id, or unambiguous beginning of an id.
    /// - Throws: `.containerNotFound`, `.ambiguousPrefix`.
    func row(_ reference: String) async throws -> ContainerRow {
        guard !reference.isEmpty else { throw EngineError.invalidField("container", "no container is named") }
        return try await database.container(reference)
    }

    /// The same, unless it is on its way out.
    func usableRow(_ reference: String) async throws -> ContainerRow {
        let row = try await row(reference)
        guard row.state == .created else { throw EngineError.beingRemoved(row.id) }
        return row
    }

    /// The same, once what others have of it is not lost with the machine's power: what is changed there is not to be either.
    func keptRow(_ reference: String) async throws -> ContainerRow {
        let row = try await usableRow(reference)
        guard !row.isSettled else { return row }
        let isKept = await withinLimit(Engine.keepingPatience) { [self] in try await keep(row) }
        try Task.checkCancellation()
        // A disk that does not work, or an image store that is away, keeps nobody from stopping what runs.
        if !isKept { isRepairWanted.withLock { $0 = true } }
        return row
    }

    /// What the supervisor knows of it; nil when that is nothing.
    func state(of id: ContainerID) async throws -> SupervisedContainer? {
        do throws(PeerError) { return try await supervisor.get(id) } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    /// Stores an event of the engine's own and tells those who follow.
    func record(_ event: EngineEvent) async throws {
        try await database.write { db in try EventTable.insert(db, event) }
        faults.reach("engine.events.recorded")
        changes.announce()
    }

    /// "v1", "hybrid" or "v2".
    func cgroupLayout() async throws -> String {
        if let layout = knownLayout.withLock({ $0 }) { return layout }
        let layout = try await supervisor.version().cgroupLayout
        knownLayout.withLock { $0 = layout }
        return layout
    }

    /// The folder with the container's host name, hosts and resolver files.
    func filesDirectory(of id: ContainerID) -> String { "\(directory)/containers/\(id)" }

    /// Runs `work` to its end even if the caller is cancelled: clean-up must outlive whoever asked for it.
    func outlivingCancellation<Value: Sendable>(
        _ work: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        try await Task(executorPreference: executor) { try await work() }.value
    }

    /// Runs what waits for files, which may be on a file system that hangs: in the shared pool, whoever calls.
    func mayBlock<Value: Sendable>(_ work: @Sendable @escaping () throws -> Value) async throws -> Value {
        try await withTaskExecutorPreference(globalConcurrentExecutor) { try await Engine.atOnce(work) }
    }

    @concurrent private static func atOnce<Value: Sendable>(
        _ work: @Sendable () throws -> Value
    ) async throws -> Value { try work() }

    /// Marks a container as this process's business for the length of `work`; repair looks after one that fails.
    func whileBusy<Value>(with id: ContainerID, _ work: () async throws -> Value) async throws -> Value {
        busy.withLock { $0[id, default: 0] += 1 }
        defer {
            busy.withLock { busy in
                let others = (busy[id] ?? 1) - 1
                busy[id] = others > 0 ? others : nil
            }
            changes.announce()
        }
        do { return try await work() } catch {
            isRepairWanted.withLock { $0 = true }
            throw error
        }
    }
}
