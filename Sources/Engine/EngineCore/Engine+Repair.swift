// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import Suite
internal import Synchronization
internal import System

/// What an earlier process left half done is undone or finished; what other daemons keep for nobody is taken away.
extension Engine {
    private static let pause = Duration.seconds(10)
    /// A machine where nothing happens is not to be kept awake.
    private static let longestPause = Duration.seconds(300)
    private static let patienceAtStart = Duration.seconds(10)
    private static let tombstonesKeptNanos: Int64 = 24 * 3600 * 1_000_000_000

    /// Repairs, then says that the engine is ready (after a bounded time even if a peer is away), and goes on.
    func repairRepeatedly(ready: @Sendable @escaping () -> Void) async throws {
        await withinLimit(Engine.patienceAtStart) {
            while await !self.repair() { try await Task.sleep(for: .milliseconds(200)) }
        }
        try Task.checkCancellation()
        ready()
        var pause = Engine.pause
        var due = ContinuousClock.now + pause
        while true {
            try await Task.sleep(for: Engine.pause)
            location.reserve.keep()
            let isWanted = isRepairWanted.withLock { isWanted in
                defer { isWanted = false }
                return isWanted
            }
            guard isWanted || ContinuousClock.now >= due else { continue }
            let isWhole = await repair()
            pause = isWhole && !isWanted ? min(pause * 2, Engine.longestPause) : Engine.pause
            due = ContinuousClock.now + pause
        }
    }

    /// One round. What cannot be done now keeps nothing else from being done.
    /// - Returns: Whether everything could be done.
    func repair() async -> Bool {
        var round = Round(logger: logger)
        await round.attempt("look for what was left half done") { try await resumeRows(&$0) }
        await round.attempt("look for what belongs to nobody") { try await sweep(&$0) }
        // What is still to be swept is known by its tombstone.
        let isSwept = round.isWhole
        await round.attempt("forget old events and removed containers") { _ in
            try await database.write { db in
                if isSwept {
                    try Tombstone.discard(db, before: Clock.wallNanos - Engine.tombstonesKeptNanos)
                }
                try EventTable.discardOld(db)
            }
        }
        return round.isWhole
    }

    /// What a round of repairs has come to.
    private struct Round {
        let logger: Logger
        private(set) var isWhole = true

        /// Does a part of it; that it fails is told, and the rest goes on.
        mutating func attempt(
            _ what: String,
            _ id: String = "",
            _ work: (inout Round) async throws -> Void
        ) async {
            do { try await work(&self) } catch {
                isWhole = false
                guard !(error is CancellationError) else { return }
                logger.warning(
                    "could not do it yet: \(what)",
                    metadata: ["object": "\(id)", "error": "\(error)"]
                )
            }
        }
    }

    func isBusy(_ id: ContainerID) -> Bool { busy.withLock { $0[id] != nil } }

    private func resumeRows(_ round: inout Round) async throws {
        // The oldest first: others may refer to it.
        for row in try await database.containers().reversed() where row.isHalfDone {
            try Task.checkCancellation()
            await round.attempt("finish what was begun", row.id.text) { _ in try await resume(row.id) }
        }
    }

    private func resume(_ id: ContainerID) async throws {
        // In this order: whoever was busy with it when all rows were read may have come to the end since. What nobody is
        // busy with, and is half done in a row that was read after that, has been left so.
        guard !isBusy(id),
            let row = try await database.read({ db in try ContainerRow.one(db, id: id) }), row.isHalfDone
        else { return }
        if row.state.isRemoval { return try await finishRemoval(row) }
        if row.state == .creating || !row.isSettled { try await finishCreation(row) }
        try await resumeUpdate(of: row)
    }

    /// The rest of a creation; or nothing of it is left, where nobody can have been told of it.
    private func finishCreation(_ row: ContainerRow) async throws {
        // That its first run had begun made it visible; after a boot nobody knows whether it had.
        let mayBeKnown = row.isLaunched && row.boot != boot && !row.settings.autoRemove
        try await whileBusy(with: row.id) {
            if row.state == .creating {
                let begun = try await begun(row.id).state
                // What runs of one that was given up is being undone; earlier releases did not write down which were started.
                let isMade = begun != nil && (row.isLaunched || row.boot.isEmpty)
                guard mayBeKnown || isMade else {
                    logger.notice("undoing a container's creation", metadata: ["id": "\(row.id)"])
                    return try await dismantle(row)
                }
                logger.notice("a container was made and started", metadata: ["id": "\(row.id)"])
                // Not after what the journal tells of its start.
                let started = begun?.startedAtUnixNanos ?? 0
                let since = started > 0 ? started : row.createdAtUnixNanos
                try await database.write { db in _ = try Engine.publish(db, row, at: since) }
                changes.announce()
            }
            // From here on it stays, whatever comes of this: it was promised.
            if !row.isSettled { try await makeWhole(row) }
        }
    }

    private func finishRemoval(_ row: ContainerRow) async throws {
        try await whileBusy(with: row.id) {
            logger.notice("finishing a container's removal", metadata: ["id": "\(row.id)"])
            if row.state == .removingUnlessRunning {
                do { try await deleteUnlessRunning(row) } catch EngineError.stillRunning {
                    logger.notice("it runs, and stays", metadata: ["id": "\(row.id)"])
                    return
                }
            }
            try await dismantle(row)
        }
    }

    /// Takes away what a request that outlived its engine left at a peer: objects of containers that were undone or
    /// removed. One that the engine never heard of means that its database was lost: that is told, and nothing is lost
    /// on top.
    private func sweep(_ round: inout Round) async throws {
        // Listed before the rows are read: a row comes before everything else of a container but its snapshot.
        let folders = try Engine.folders(in: directory)
        let supervised = try await supervisor.list().containers
        let snapshots = try await images.snapshots()
        let rows = try await database.containers()
        let known = Set(rows.map(\.id.text))
        // Looked for after the rows: what went away before has a tombstone by now.
        let present = Set(supervised.map(\.id.text))
        let unknown = present.union(snapshots.map(\.key)).subtracting(known)
        let buried = try await database.read { db in try Tombstone.ids(db, among: unknown) }
        await keepSettled(rows, snapshots, &round)
        try await removeVanished(rows, supervised, &round)
        for container in supervised where !known.contains(container.id.text) && !isBusy(container.id) {
            // What was to remove itself in any case was not synced: a power failure may have taken its row alone.
            guard
                container.removalWanted
                    || isBuried(container.id.text, buried, "the supervisor has a container")
            else { continue }
            await round.attempt("remove an undone container", container.id.text) { _ in
                try await deleteSupervised(container.id, force: true)
            }
        }
        for snapshot in snapshots where !known.contains(snapshot.key) {
            // A creation may have ended before its row was written, or a power failure have taken that alone.
            let isLeft = snapshot.endurance != .lasting && !present.contains(snapshot.key)
            guard isLeft || isBuried(snapshot.key, buried, "the image store has a snapshot"),
                let id = ContainerID(snapshot.key), !isBusy(id)
            else { continue }
            await round.attempt("remove an undone container's snapshot", snapshot.key) { _ in
                // In this order: whoever was busy with it when the rows were read may have written its row since.
                guard try await database.read({ db in try !ContainerRow.exists(db, id) }) else { return }
                try await images.removeSnapshot(id)
            }
        }
        for container in supervised where container.removalWanted && known.contains(container.id.text) {
            guard !isBusy(container.id) else { continue }
            wantRemoval(of: container.id, endedAtUnixNanos: container.exit?.atUnixNanos ?? 0)
        }
        for name in folders where !known.contains(name) {
            guard let id = ContainerID(name), !isBusy(id) else { continue }
            await round.attempt("remove an undone container's files", name) { _ in
                try removeFiles(of: id)
            }
        }
    }

    /// Of a release that settled rows before their snapshots were written down as lasting.
    private func keepSettled(
        _ rows: [ContainerRow],
        _ snapshots: [ListedSnapshot],
        _ round: inout Round
    ) async {
        let provisional = Set(snapshots.filter { $0.endurance == .provisional }.map(\.key))
        guard !provisional.isEmpty else { return }
        for row in rows where row.isSettled && provisional.contains(row.id.text) && !isBusy(row.id) {
            await round.attempt("keep a container's snapshot", row.id.text) { _ in
                do throws(PeerError) { try await images.keepSnapshot(row.id, of: row.imageID) } catch {
                    // It was removed meanwhile.
                    guard error.kind == .notFound else { throw error }
                }
            }
        }
    }

    /// Containers that remove themselves, whose removal a power failure took back here but not at the supervisor.
    private func removeVanished(
        _ rows: [ContainerRow],
        _ supervised: [SupervisedContainer],
        _ round: inout Round
    ) async throws {
        let present = Set(supervised.map(\.id))
        for row in rows where row.state == .created && row.settings.autoRemove {
            guard !present.contains(row.id), !isBusy(row.id), try await state(of: row.id) == nil else {
                continue
            }
            await round.attempt("remove a container that is gone", row.id.text) { _ in
                _ = try await remove(row.id.text, force: true)
            }
        }
    }

    private func isBuried(_ key: String, _ buried: Set<String>, _ what: String) -> Bool {
        if buried.contains(key) { return true }
        logger.error("\(what) that is not in the engine's database", metadata: ["id": "\(key)"])
        return false
    }

    private static func folders(in directory: String) throws -> [String] {
        do { return try Files.names(in: directory + "/containers") } catch { throw EngineError.file(error) }
    }
}

extension ContainerRow {
    /// Something was begun with it that is not over.
    fileprivate var isHalfDone: Bool { state != .created || !isSettled || settings.pendingUpdate != nil }
}
