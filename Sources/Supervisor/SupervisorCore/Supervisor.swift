// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import JSON
internal import Logging
internal import Messages
internal import RuntimeSpec
package import Seccomp
internal import Suite
package import System

/// All containers of one suite, by id.
///
/// Owns `ROOT/supervisor/containers`. A container is listed here from the moment when its record outlives this process
/// until its removal does; one that is being created reserves its id and its owner's key.
package actor Supervisor {
    package nonisolated let surroundings: Surroundings
    package nonisolated var unownedExecutor: UnownedSerialExecutor { threads[0].asUnownedSerialExecutor() }

    nonisolated let containersPath: String
    nonisolated let runContainersPath: String
    nonisolated let threads: [SerialThread]
    /// For what takes long and nobody else is to wait for.
    nonisolated let slowThread: SerialThread
    private nonisolated let seccomp: SeccompCache
    private nonisolated let changes = Changes()
    var containers: [ContainerID: Container] = [:]
    private var keys: [OwnerKey: ContainerID] = [:]
    /// Those whose records could not be read, and why: they are there, and nobody is to take them for gone.
    var unread: [ContainerID: SupervisorError] = [:]
    /// Being created just now.
    private var reserved: Set<ContainerID> = []
    private var refusals = Refusals()

    private struct OwnerKey: Hashable {
        let owner: String
        let key: String
    }

    /// - Parameters:
    ///   - directory: `ROOT/supervisor`.
    ///   - runDirectory: RUN.
    package init(
        directory: String,
        runDirectory: String,
        seccomp: SeccompCache,
        surroundings: Surroundings
    ) throws(SystemError) {
        containersPath = directory + "/containers"
        runContainersPath = runDirectory + "/containers"
        try Files.makeDirectories(containersPath, mode: 0o700)
        try Files.makeDirectories(runContainersPath, mode: 0o700)
        var threads: [SerialThread] = []
        for _ in 0..<4 { threads.append(try SerialThread()) }
        self.threads = threads
        slowThread = try SerialThread()
        self.seccomp = seccomp
        self.surroundings = surroundings
    }

    // MARK: - Creating

    /// Records the container and starts its keeper. Repeating the call with the same content is harmless.
    /// - Parameter startKey: Not empty: starts it, too, and returns as `Container.start` does with this key.
    /// - Parameter isProvisional: It need not be on the disk until it is kept.
    /// - Throws: `.containerExists`, `.keyTaken` when it is asked for differently now; `.invalidField`; `.startFailed`, the
    ///   container being there.
    package func create(
        _ request: ContainerRequest,
        startKey: String = "",
        isProvisional: Bool = false
    ) async throws -> ContainerSnapshot {
        let container = try await recorded(request, startKey: startKey)
        async let isOnDisk: Void = isProvisional ? () : outlivePower(container)
        async let isTold: Void = container.tellOnce()
        let snapshot =
            startKey.isEmpty ? await container.snapshot : try await container.start(key: startKey)
        try await isOnDisk
        await isTold
        surroundings.faults.reach("supervisor.create.synced")
        replenishKeepers()
        return snapshot
    }

    /// Waits until the disk has a container that was made provisionally.
    /// - Throws: as `container`.
    package func keep(_ id: String, owner: String) async throws {
        try await outlivePower(try container(id, owner: owner))
    }

    /// For the next container; a moment later, when who waits for this one has heard of it.
    private nonisolated func replenishKeepers() {
        surroundings.works.start(on: slowThread) { [surroundings] in
            do {
                try await Task.sleep(for: .milliseconds(5))
                try surroundings.keepers.replenish()
                try await surroundings.watchReserve()
            } catch {
                guard error is SystemError else { return }
                surroundings.logger.warning("keeper in reserve", metadata: ["error": "\(error)"])
            }
        }
    }

    /// The container that is there already for the same request, or one made just now.
    private func recorded(_ request: ContainerRequest, startKey: String) async throws -> Container {
        let ownerKey = OwnerKey(owner: request.owner, key: request.key)
        // One that starts it may have been carried out before. Asked first: below, nothing may come between.
        if !startKey.isEmpty, try await hasBeen(request) { throw SupervisorError.isBeingRemoved(request.id) }
        while reserved.contains(request.id) {
            let seen = changes.version
            if reserved.contains(request.id) { try await changes.wait(beyond: seen) }
        }
        if let damage = unread[request.id] { throw damage }
        // A request may be older than its undoing.
        guard !refusals.contains(request.id) else { throw SupervisorError.isBeingRemoved(request.id) }
        if let present = containers[request.id] {
            guard present.request == request else { throw SupervisorError.containerExists(request.id) }
            let snapshot = await present.snapshot
            guard await !present.isRemoved, !snapshot.lifecycle.isBeingDeleted else {
                throw SupervisorError.isBeingRemoved(request.id)
            }
            return present
        }
        if let other = keys[ownerKey] {
            throw SupervisorError.keyTaken(owner: request.owner, key: request.key, by: other)
        }
        reserved.insert(request.id)
        keys[ownerKey] = request.id
        defer {
            reserved.remove(request.id)
            changes.announce()
        }
        do {
            return try await make(request, startKey: startKey)
        } catch {
            keys[ownerKey] = nil
            throw error
        }
    }

    /// Whether it was removed lately.
    private func hasBeen(_ request: ContainerRequest) async throws -> Bool {
        guard surroundings.journal.mayHaveRemoved(request.id.text) else { return false }
        return try await surroundings.journal.hasRemoved(request.id.text, owner: request.owner)
    }

    /// Waits until the disk has the container, on a thread where nothing else waits for that. One that removes itself
    /// is of no use after the machine's end, and is not synced.
    private nonisolated func outlivePower(_ container: Container) async throws {
        guard !container.request.isAutoRemoved else { return }
        let directory = container.directory
        do { try await withTaskExecutorPreference(slowThread) { try await Self.sync(directory) } } catch {
            // The kernel tells of a failed writing once; whether the bytes are there is known by writing them again.
            try await container.writeAgain()
        }
    }

    @concurrent private static func sync(_ directory: ContainerDirectory) async throws {
        try directory.syncCreation()
    }

    /// No file's name.
    private static let undecided = "/undecided"

    private func make(_ request: ContainerRequest, startKey: String) async throws -> Container {
        let faults = surroundings.faults
        let directory = directory(of: request.id)
        var link: KeeperLink?
        do {
            try directory.makeDirectories()
            faults.reach("supervisor.create.directories")
            if surroundings.keepers.readsRecordsAnew {
                // It takes up its place while the specification is read and the rest is written, which it reads when it is told
                // to start. Until then its record names a filter that nothing can be run under.
                try writeRecord(of: request, seccompProgram: Self.undecided, to: directory)
                link = try surroundings.keepers.spawn(for: directory, isAdopter: false)
                faults.reach("supervisor.create.keeper-appointed")
            }
            let configuration = try RuntimeConfiguration(
                request.specification,
                cgroupPath: surroundings.cgroupPath(of: request),
                rootPath: directory.path + "/rootfs"
            )
            let program = try await compiled(configuration)
            try writeRecord(of: request, seccompProgram: program, to: directory)
            let keeper = try link ?? surroundings.keepers.spawn(for: directory, isAdopter: false)
            link = keeper
            faults.reach("supervisor.create.keeper-spawned")
            let lifecycle = try lifecycle(of: request, startKey: startKey)
            try complete(directory, request, configuration, lifecycle)
            let container = Container(
                request: request,
                directory: directory,
                isTerminal: configuration.isTerminal,
                lifecycle: lifecycle,
                revision: 1,
                custody: Custody(),
                isOfEarlierBoot: false,
                thread: thread(for: request.id),
                surroundings: surroundings
            )
            follow(container, first: keeper)
            return container
        } catch {
            await dismiss(link, from: directory)
            throw error
        }
    }

    /// Takes back what was made of a container.
    private func dismiss(_ keeper: KeeperLink?, from directory: ContainerDirectory) async {
        if let keeper {
            try? ProcessHandle.signal(keeper.process.raw, .kill)
            // It may be making something there at this moment. Rightly without an end: no container of the id is to be made
            // while it is there.
            try? await surroundings.poller.readable(keeper.process)
            replenishKeepers()
        }
        try? Files.removeTree(directory.runPath)
        try? directory.setAside()
        try? Files.removeTree(directory.asidePath)
    }

    /// Writes the rest, at last the life cycle's first record: from here on a restarted supervisor keeps the container.
    private func complete(
        _ directory: ContainerDirectory,
        _ request: ContainerRequest,
        _ configuration: RuntimeConfiguration,
        _ lifecycle: Lifecycle
    ) throws {
        let first = lifecycle.record(bootID: surroundings.bootID, revision: 1)
        try directory.write(request, isTerminal: configuration.isTerminal, first: first, durably: false)
        try write(configuration, to: directory)
        try directory.write(first.serialized(), to: directory.lifecycleFile, durably: false)
        surroundings.faults.reach("supervisor.create.completed")
    }

    private func lifecycle(of request: ContainerRequest, startKey: String) throws -> Lifecycle {
        var lifecycle = Lifecycle(
            id: request.id,
            owner: request.owner,
            policy: request.restartPolicy,
            isAutoRemoved: request.isAutoRemoved,
            healthCheck: request.healthCheck,
            now: surroundings.now
        )
        // Carried out when the keeper is greeted.
        if !startKey.isEmpty { _ = try lifecycle.requestStart(key: startKey, now: surroundings.now) }
        return lifecycle
    }

    /// The path of its filter. One that is not known takes its time, and nobody else's.
    private nonisolated func compiled(_ configuration: RuntimeConfiguration) async throws -> String {
        if let profile = configuration.specification.linux.seccomp,
            let known = seccomp.knownPath(for: profile)
        {
            return known
        }
        return try await withTaskExecutorPreference(slowThread) { try await compile(configuration) }
    }

    @concurrent private nonisolated func compile(_ configuration: RuntimeConfiguration) async throws -> String
    {
        try seccompProgram(of: configuration)
    }

    nonisolated func seccompProgram(of configuration: RuntimeConfiguration) throws(SupervisorError) -> String
    {
        guard let profile = configuration.specification.linux.seccomp else { return "" }
        do throws(SeccompError) {
            return try seccomp.path(for: profile)
        } catch {
            throw .seccomp(detail: error.description)
        }
    }

    /// What the keeper reads at its start: it follows from the request.
    nonisolated func writeRecord(
        of request: ContainerRequest,
        seccompProgram: String,
        to directory: ContainerDirectory
    ) throws(SystemError) {
        let record = KeeperV1.ContainerRecord(
            request,
            cgroupPath: surroundings.cgroupPath(of: request),
            seccompProgram: seccompProgram,
            reserve: surroundings.reserve
        )
        try directory.write(record.serialized(), to: directory.containerFile, durably: false)
        surroundings.faults.reach("supervisor.create.container-record")
    }

    /// What it reads at each run's.
    nonisolated func write(_ configuration: RuntimeConfiguration, to directory: ContainerDirectory)
        throws(SystemError)
    {
        try directory.write(configuration.keeperText, to: directory.configurationFile, durably: false)
        surroundings.faults.reach("supervisor.create.configuration")
    }

    /// Begins to look after a container.
    func follow(_ container: Container, first: KeeperLink?) {
        containers[container.id] = container
        surroundings.neighbours.add(container)
        keys[OwnerKey(owner: container.request.owner, key: container.request.key)] = container.id
        surroundings.works.start(on: container.thread) { await container.maintain(first: first) }
        if container.request.healthCheck != nil {
            surroundings.works.start(on: container.thread) { await container.watchHealth() }
        }
        surroundings.works.start(on: container.thread) {
            guard (try? await container.waitForExit(.removed)) != nil else { return }
            await self.forget(container)
        }
    }

    private func forget(_ container: Container) async {
        surroundings.neighbours.remove(container)
        guard containers[container.id] === container else { return }
        containers[container.id] = nil
        keys[OwnerKey(owner: container.request.owner, key: container.request.key)] = nil
        if containers.isEmpty {
            surroundings.works.start(on: slowThread) { [surroundings] in
                try? await surroundings.watchReserve()
            }
        }
        await surroundings.journal.forget(container.id)
    }

    // MARK: - Finding

    /// One that is being made is waited for.
    /// - Throws: `.containerNotFound`; `.notOwner` when it is somebody else's (an empty owner may see all).
    package func container(_ text: String, owner: String) async throws -> Container {
        guard let id = ContainerID(text) else { throw SupervisorError.containerNotFound(text) }
        while reserved.contains(id) {
            let seen = changes.version
            if reserved.contains(id) { try await changes.wait(beyond: seen) }
        }
        if let damage = unread[id] { throw damage }
        guard let container = containers[id] else { throw SupervisorError.containerNotFound(text) }
        guard owner.isEmpty || container.request.owner == owner else {
            throw SupervisorError.notOwner(container.id)
        }
        return container
    }

    /// Deletes a container.
    /// - Parameter isFinal: No creation of it is to come any more: one that comes late is refused.
    /// - Returns: How it ended, if it ever ran.
    package func delete(_ id: String, owner: String, isForced: Bool, isFinal: Bool) async throws
        -> ExitStatus?
    {
        if isFinal, let id = ContainerID(id) {
            if let known = containers[id], !owner.isEmpty, known.request.owner != owner {
                throw SupervisorError.notOwner(id)
            }
            refusals.add(id, atBootNanos: Clock.bootNanos)
        }
        return try await container(id, owner: owner).delete(isForced: isForced)
    }

    /// Everybody's containers, or one owner's, by id; and the journal's sequence that the list reflects at
    /// least.
    package func list(owner: String) async -> (containers: [ContainerSnapshot], sequence: UInt64) {
        let sequence = await surroundings.journal.lastSequence
        let wanted = containers.values.filter { owner.isEmpty || $0.request.owner == owner }
        var result: [ContainerSnapshot] = []
        // Each thread is gone to once, rather than once for each container.
        for group in Dictionary(grouping: wanted, by: { ObjectIdentifier($0.thread) }).values {
            if let first = group.first { result += await first.snapshots(of: group) }
        }
        return (result.sorted { $0.request.id < $1.request.id }, sequence)
    }

    /// Waits for a container, or answers for one that was removed in the last ten minutes.
    package func wait(
        _ id: String,
        owner: String,
        _ condition: Container.WaitCondition
    ) async throws -> ExitStatus {
        do {
            return try await container(id, owner: owner).waitForExit(condition)
        } catch SupervisorError.containerNotFound {
            guard let event = try await surroundings.journal.removal(of: id, owner: owner) else {
                throw SupervisorError.containerNotFound(id)
            }
            return event.exit ?? ExitStatus(code: 0, atUnixNanos: event.wallUnixNanos)
        }
    }

    /// Gives a new descriptor store everything that is held.
    package func storeAgain() async {
        for container in containers.values { await container.storeAgain() }
    }

    func directory(of id: ContainerID) -> ContainerDirectory {
        ContainerDirectory(id: id, parent: containersPath, runParent: runContainersPath)
    }

    func thread(for id: ContainerID) -> SerialThread {
        // The first one is this actor's own.
        threads[
            1 + Int(id.text.utf8.prefix(8).reduce(0) { $0 &* 31 &+ UInt32($1) } % UInt32(threads.count - 1))
        ]
    }
}

extension KeeperV1.ContainerRecord {
    init(_ request: ContainerRequest, cgroupPath: String, seccompProgram: String, reserve: DiskReserve) {
        self.init(
            version: 1,
            id: request.id.text,
            rootfs: request.record.rootfs,
            openStdin: request.opensStdin,
            stdinOnce: request.stdinOnce,
            outputMaxSegmentBytes: request.output.maximumSegmentBytes,
            outputMaxSegments: request.output.maximumSegments,
            outputDiscard: request.output.isDiscarded,
            cgroupPath: cgroupPath,
            seccompProgram: seccompProgram,
            outputDropWhenFull: request.output.dropsWhenFull,
            reserve: reserve.path,
            outputReaderExpected: request.output.expectsReader
        )
    }
}
