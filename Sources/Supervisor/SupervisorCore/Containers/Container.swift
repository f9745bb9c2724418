// SPDX-License-Identifier: Apache-2.0
package import Events
internal import Logging
internal import Messages
internal import Suite
internal import System

/// One container: its life cycle, its keeper, and the second copies of its descriptors.
///
/// Owns the supervisor's files in the container's directory. A transition changes the value, which is written
/// before anything else happens; then the journal gets the events, and last the effects are carried out. What must
/// outlive the machine's power is on disk before anybody is told; everything else a second later, but for containers that
/// remove themselves, which a boot ends. Works on a thread that may wait for the disk.
package actor Container {
    /// What the keeper does just now.
    enum Keeper {
        case none
        /// Connected, greeted, and all it had to tell is merged.
        case ready(KeeperLink)
    }

    package nonisolated let request: ContainerRequest
    package nonisolated let directory: ContainerDirectory
    package nonisolated let isTerminal: Bool
    package nonisolated var id: ContainerID { request.id }
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    nonisolated let thread: SerialThread
    nonisolated let surroundings: Surroundings
    nonisolated let changes = Changes()

    var lifecycle: Lifecycle
    /// Of the last writing of `lifecycle`.
    private var revision: UInt64
    private var isSyncDue = false
    /// After a boot: writes what the keeper reads. To be done before a keeper is spawned.
    private var renewal: (@Sendable () throws -> Void)?
    var custody: Custody
    var keeper = Keeper.none
    var keeperPid: Int32 = 0
    var execs: [String: KeeperV1.RunRecord] = [:]
    /// In the order in which they were heard of.
    var execOrder: [String] = []
    /// The record on disk is of an earlier boot of the machine.
    var isOfEarlierBoot: Bool
    /// Its keeper is not to be replaced any more.
    var isReleased = false
    var isRemoved = false
    /// Processes that look at its files just now, by their numbers.
    var copies: [Int32: CopyProcess] = [:]
    var removal: RemovalStep = .idle
    /// Why the last attempt to remove it came to nothing.
    var removalFailure: SupervisorError?

    /// The copies that the keeper has named since it was asked; nil while it is not asked.
    var named: Set<Custody.Key>?
    var isTidying = false
    var isToTidyAgain = false
    /// What the keeper has recorded is looked at once more, soon.
    var isToMerge = false
    var tidyPauseNanos: Int64 = 0
    /// Why the last pause came to nothing.
    var pauseFailure: SupervisorError?

    enum RemovalStep { case idle, underWay }

    package init(
        request: ContainerRequest,
        directory: ContainerDirectory,
        isTerminal: Bool,
        lifecycle: Lifecycle,
        revision: UInt64,
        custody: Custody,
        isOfEarlierBoot: Bool,
        thread: SerialThread,
        surroundings: Surroundings
    ) {
        self.request = request
        self.directory = directory
        self.isTerminal = isTerminal
        self.lifecycle = lifecycle
        self.revision = revision
        self.custody = custody
        self.isOfEarlierBoot = isOfEarlierBoot
        self.thread = thread
        self.surroundings = surroundings
    }

    /// What can be told about it now.
    package var snapshot: ContainerSnapshot {
        ContainerSnapshot(
            request: request,
            lifecycle: lifecycle,
            directory: directory,
            isTerminal: isTerminal,
            keeperPid: keeperPid
        )
    }

    /// The same of containers that live on this one's thread.
    func snapshots(of containers: [Container]) -> [ContainerSnapshot] {
        containers.map { container in container.assumeIsolated { $0.snapshot } }
    }

    /// Makes a transition, in the order that survives everything: disk, then memory, then journal and
    /// effects.
    func change(
        _ transition: (inout Lifecycle) throws(SupervisorError) -> [Lifecycle.Effect]
    ) throws(SupervisorError) {
        var next = lifecycle
        let effects = try transition(&next)
        guard next != lifecycle else { return perform(effects) }
        try save(next)
        lifecycle = next
        changes.announce()
        publish()
        perform(effects)
    }

    /// Makes a transition whose events the journal gets later.
    func changeWithoutPublishing(_ transition: (inout Lifecycle) -> Void) throws(SupervisorError) {
        var next = lifecycle
        transition(&next)
        try save(next)
        lifecycle = next
    }

    private func save(_ next: Lifecycle) throws(SupervisorError) {
        let isDurable = next.mustOutlivePower(after: lifecycle)
        do throws(SystemError) {
            let purpose: DiskReserve.Purpose = next.isBeingDeleted ? .removal : .record
            try surroundings.reserve.makingRoom(for: purpose) { () throws(SystemError) in
                try write(next, durably: isDurable)
            }
        } catch {
            throw .system(error)
        }
        if !isDurable { syncLater() }
    }

    private func write(_ lifecycle: Lifecycle, durably: Bool) throws(SystemError) {
        // Also for a writing that fails: it may be there.
        revision += 1
        let record = lifecycle.record(bootID: surroundings.bootID, revision: revision)
        if durably {
            try directory.write(record.serialized(), to: directory.lifecycleFile)
        } else {
            try Files.replaceInTurn(directory.presentLifecycleFile, with: record.serialized())
        }
    }

    func renewBeforeSpawning(_ renewal: @escaping @Sendable () throws -> Void) { self.renewal = renewal }

    /// - Throws: what keeps it from being written; to be tried again then.
    func renewIfDue() throws {
        guard let renewal else { return }
        try surroundings.reserve.makingRoom(
            for: .record,
            isFull: { ($0 as? SystemError)?.isOutOfSpace == true },
            renewal
        )
        self.renewal = nil
    }

    /// Soon the disk has it, too; a container that is gone by then was spared the wait.
    func syncLater(_ pause: Duration = .seconds(1)) {
        guard !isSyncDue, !request.isAutoRemoved else { return }
        isSyncDue = true
        surroundings.works.start(on: thread) {
            do { try await Task.sleep(for: pause) } catch { return }
            await self.syncNow()
        }
    }

    /// Both records once more, and on the disk.
    func writeAgain() throws {
        guard !isRemoved, removal == .idle else { return }
        // First, as the request is written without the record that it began with.
        try write(lifecycle, durably: true)
        try directory.write(request, isTerminal: isTerminal)
        try directory.syncParent()
    }

    private func syncNow() {
        isSyncDue = false
        guard !isRemoved, removal == .idle else { return }
        do throws(SystemError) {
            try write(lifecycle, durably: true)
        } catch {
            // The disk is full, most likely.
            surroundings.logger.warning("sync", metadata: ["id": "\(id)", "error": "\(error)"])
            syncLater(.seconds(30))
        }
    }

    /// Gives the journal what it does not have yet, beside the present call.
    func publish() {
        guard !lifecycle.pending.isEmpty else { return }
        surroundings.works.start(on: thread) { await self.flush() }
    }

    /// Gives the journal what it does not have yet. On a full disk that goes on beside everything else.
    func tellOnce() async { if await !flushOnce() { publish() } }

    /// Gives the journal what it does not have yet; tries again until it works, since nothing may be missing
    /// there.
    func flush() async {
        while await !flushOnce(), !Task.isCancelled { try? await Task.sleep(for: .seconds(1)) }
    }

    /// The same, but leaves it at one attempt.
    /// - Returns: Whether the journal has everything.
    func flushOnce() async -> Bool {
        while let last = lifecycle.pending.last {
            do {
                let purpose: DiskReserve.Purpose = lifecycle.isBeingDeleted ? .removal : .record
                try await surroundings.journal.append(lifecycle.pending, for: purpose)
                // On disk they stay until the next writing; the journal knows their numbers.
                lifecycle.forget(upTo: last.number)
                changes.announce()
            } catch {
                surroundings.logger.error("journal", metadata: ["id": "\(id)", "error": "\(error)"])
                return false
            }
        }
        return true
    }

    func perform(_ effects: [Lifecycle.Effect]) {
        let works = surroundings.works
        for effect in effects {
            switch effect {
            case .start(let run): works.start(on: thread) { await self.tellStart(run: run) }
            case .signal(let signal): works.start(on: thread) { await self.signalQuietly(signal) }
            case .kill(let dueNanos):
                let run = lifecycle.run
                works.start(on: thread) { await self.kill(run: run, atBootNanos: dueNanos) }
            case .restart(let nanos, let run):
                works.start(on: thread) {
                    do { try await Task.sleep(for: .nanoseconds(nanos)) } catch { return }
                    await self.restartDue(run: run)
                }
            case .freeze(let run): works.start(on: thread) { await self.freeze(run: run) }
            case .thaw: works.start(on: thread) { await self.thaw() }
            }
        }
    }

    /// Waits until `condition` holds for the life cycle, at most until `deadline` of boot time (nil: for
    /// ever).
    /// - Returns: false when the time was up.
    func wait(
        untilBootNanos deadline: Int64? = nil,
        _ condition: (isolated Container) -> Bool
    ) async throws -> Bool {
        while true {
            let seen = changes.version
            if condition(self) { return true }
            guard let deadline else {
                try await changes.wait(beyond: seen)
                continue
            }
            guard Clock.bootNanos < deadline else { return false }
            try await changes.wait(beyond: seen, untilBootNanos: deadline)
        }
    }
}

/// A container as it is told to clients.
package struct ContainerSnapshot: Sendable {
    package let request: ContainerRequest
    package let lifecycle: Lifecycle
    package let directory: ContainerDirectory
    package let isTerminal: Bool
    /// 0 while there is none.
    package let keeperPid: Int32
}
