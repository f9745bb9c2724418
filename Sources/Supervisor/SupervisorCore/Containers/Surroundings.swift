// SPDX-License-Identifier: Apache-2.0
package import Cgroups
package import Events
package import Logging
package import Suite
internal import Synchronization
package import System

/// What every container of this supervisor works with.
package struct Surroundings: Sendable {
    package let journal: Journal
    package let poller: Poller
    package let keepers: KeeperProgram
    package let store: any DescriptorStore
    package let works: Works
    package let ended: EndedChildren
    package let faults: FaultPoints
    package let bootID: String
    package let cgroups: CgroupLayout
    /// `petrel-<suite id>`.
    package let cgroupParent: String
    package let reserve: DiskReserve
    /// This supervisor's release, as keepers are told.
    package let release: String
    package let logger: Logger
    let neighbours = Neighbours()

    package init(
        journal: Journal,
        poller: Poller,
        keepers: KeeperProgram,
        store: any DescriptorStore,
        works: Works,
        ended: EndedChildren,
        faults: FaultPoints,
        bootID: String,
        cgroups: CgroupLayout,
        cgroupParent: String,
        reserve: DiskReserve,
        release: String,
        logger: Logger
    ) {
        self.journal = journal
        self.poller = poller
        self.keepers = keepers
        self.store = store
        self.works = works
        self.ended = ended
        self.faults = faults
        self.bootID = bootID
        self.cgroups = cgroups
        self.cgroupParent = cgroupParent
        self.reserve = reserve
        self.release = release
        self.logger = logger
    }

    /// Lets go of keepers without a container that nobody comes for.
    func watchReserve() async throws {
        let neighbours = neighbours
        try await keepers.reserve.watch { !neighbours.isEmpty }
    }

    /// Nobody needs the third copies of these any more.
    func forget(_ keys: [Custody.Key], of container: ContainerID) {
        for key in keys { store.remove(name: CustodyName.text(container, key)) }
    }

    var now: Moment { Moment(wallUnixNanos: Clock.wallNanos, bootNanos: Clock.bootNanos) }
}

/// All containers of this supervisor, for those that join a namespace of another.
final class Neighbours: Sendable {
    private let containers = Mutex<[ContainerID: Container]>([:])

    var isEmpty: Bool { containers.withLock { $0.isEmpty } }

    func add(_ container: Container) { containers.withLock { $0[container.id] = container } }

    func remove(_ container: Container) {
        containers.withLock { if $0[container.id] === container { $0[container.id] = nil } }
    }

    /// Nil when there is none, or it is another owner's.
    func find(_ id: ContainerID, owner: String) -> Container? {
        containers.withLock { $0[id] }.flatMap { $0.request.owner == owner ? $0 : nil }
    }
}

/// Work that goes on beside the call that began it; all of it belongs to `run`, which cancels it when it
/// ends.
///
/// Not a task group: its task would have to take up each piece, one switch of threads more for every step of a container.
package final class Works: Sendable {
    package typealias Work = @Sendable () async -> Void

    private enum Phase { case before, running, over }

    private struct State {
        var phase = Phase.before
        var waiting: [(thread: SerialThread, work: Work)] = []
        var nextToken: UInt64 = 0
        var tasks: [UInt64: Task<Void, Never>] = [:]
        /// Those that ended before they were entered among the tasks.
        var ended: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Begins work as soon as `run` was called. It stays on `thread` wherever it calls nobody else's.
    package func start(on thread: SerialThread, _ work: @escaping Work) {
        let token: UInt64? = state.withLock { state in
            guard state.phase == .running else {
                if state.phase == .before { state.waiting.append((thread, work)) }
                return nil
            }
            state.nextToken += 1
            return state.nextToken
        }
        guard let token else { return }
        let task = Task(executorPreference: thread) {
            await work()
            self.end(token)
        }
        let isOver = state.withLock { state in
            // It may have ended before it was entered here.
            if state.ended.remove(token) == nil { state.tasks[token] = task }
            return state.phase == .over
        }
        if isOver { task.cancel() }
    }

    private func end(_ token: UInt64) {
        state.withLock { state in
            if state.tasks.removeValue(forKey: token) == nil { state.ended.insert(token) }
        }
    }

    /// Runs what is started, until cancelled.
    package func run() async {
        let waiting = state.withLock { state in
            state.phase = .running
            defer { state.waiting = [] }
            return state.waiting
        }
        for (thread, work) in waiting { start(on: thread, work) }
        // Nothing ever comes: this waits for the cancellation.
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        for await _ in stream {}
        continuation.finish()
        let tasks = state.withLock { state in
            state.phase = .over
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}

/// How children ended that this process reaped: keepers, and orphans of keepers that died.
package final class EndedChildren: Sendable {
    private static let limit = 4096
    /// Afterwards the number may be another process's.
    private static let memoryNanos: Int64 = 60_000_000_000

    private struct Ended {
        let pid: Int32
        let waitStatus: Int32
        let atBootNanos: Int64
    }

    private let ended = Mutex<[Ended]>([])

    package init() {}

    /// Reaps everything that has ended. To be called after each SIGCHLD.
    package func reap() {
        while let child = try? Children.reapNext() {
            let one = Ended(pid: child.pid, waitStatus: child.waitStatus, atBootNanos: Clock.bootNanos)
            ended.withLock { list in
                list.append(one)
                if list.count > Self.limit { list.removeFirst(Self.limit / 4) }
            }
        }
    }

    /// Takes the wait status of a child that ended in the last minute.
    package func waitStatus(of pid: Int32) -> Int32? {
        ended.withLock { list in
            guard let index = list.lastIndex(where: { $0.pid == pid }) else { return nil }
            let found = list.remove(at: index)
            return Clock.bootNanos - found.atBootNanos < Self.memoryNanos ? found.waitStatus : nil
        }
    }
}

extension Surroundings {
    /// Where a container's control group is, below each hierarchy.
    func cgroupPath(of request: ContainerRequest) -> String {
        let parent = request.cgroupParent.split(separator: "/").joined(separator: "/")
        return "\(parent.isEmpty ? cgroupParent : parent)/\(request.id.text)"
    }

    /// "v1", "hybrid" or "v2".
    package var cgroupLayoutName: String {
        switch cgroups.kind {
        case .legacy: "v1"
        case .hybrid: "hybrid"
        case .unified: "v2"
        }
    }
}
