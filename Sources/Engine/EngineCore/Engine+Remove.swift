// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import Logs
internal import Suite
internal import System

/// Removing a container: row `removing` (`removing-unless-running` where not forced) → supervisor → snapshot → files → no row. Each step may be repeated.
extension Engine {
    /// How long followers of a container's output may read on before it goes away.
    static let readersPatience = Duration.seconds(10)
    /// How long those whose engine died may take to come back for the output of a container that has ended meanwhile.
    static let returnPatience = Duration.seconds(2)
    /// News that is not older is taken for what is.
    private static let newsNanos: Int64 = 100_000_000
    /// How long the last events of a removed container may take to arrive before `destroy` is told.
    static let journalPatience = Duration.seconds(2)

    /// Removes a container and what belongs to it.
    /// - Parameter force: Kill it first if it runs.
    /// - Parameter hasEnded: As the supervisor said a moment ago.
    /// - Throws: `.containerNotFound`, `.stillRunning`; or a `PeerError`, after which the removal goes on by itself.
    package func remove(_ reference: String, force: Bool, hasEnded: Bool = false) async throws -> ContainerID
    {
        let row = try await row(reference)
        if row.state == .created, !force, let state = try await state(of: row.id),
            state.phase.isRunning || state.phase == .restarting
        {
            throw EngineError.stillRunning(row.id, name: row.name)
        }
        try await outlivingCancellation { [self] in
            try await whileBusy(with: row.id) { try await remove(row, force: force, hasEnded: hasEnded) }
        }
        return row.id
    }

    private func remove(_ row: ContainerRow, force: Bool, hasEnded: Bool = false) async throws {
        if !hasEnded, try await !mark(row, force: force) { try await deleteUnlessRunning(row) }
        try await dismantle(row, hasEnded: hasEnded)
    }

    /// - Returns: Whether it is to be removed in any case.
    func mark(_ row: ContainerRow, force: Bool) async throws -> Bool {
        let isForced = try await database.write(durably: !row.settings.autoRemove, for: .removal) { db in
            let mark: ContainerRow.State = force ? .removing : .removingUnlessRunning
            for state in [ContainerRow.State.created, .removingUnlessRunning] {
                if try ContainerRow.move(db, row.id, from: state, to: mark) { return force }
            }
            // Somebody else wants that.
            return true
        }
        faults.reach("engine.delete.row-marked")
        return isForced
    }

    /// First half of a removal that nobody forced.
    /// - Throws: `.stillRunning`, the mark taken back: it was started between the look at it and the mark, perhaps by
    ///   another engine.
    func deleteUnlessRunning(_ row: ContainerRow) async throws {
        do {
            try await deleteSupervised(row.id, force: false)
        } catch let error as PeerError where error.kind == .failedPrecondition {
            // Durably, as the mark is: after a boot nothing runs, and it would be carried out.
            _ = try await database.write(durably: true, for: .removal) { db in
                try ContainerRow.move(db, row.id, from: .removingUnlessRunning, to: .created)
            }
            throw EngineError.stillRunning(row.id, name: row.name)
        }
    }

    /// Every step of a removal, or of undoing a creation. All are harmless when repeated or not needed.
    /// - Parameter hasEnded: It removes itself, does not run, and will not again: what was below its root need not wait for the
    ///   supervisor, and its row is marked only here, since it is seen to be gone without a mark, too (see `sweep`).
    func dismantle(_ row: ContainerRow, hasEnded: Bool = false) async throws {
        if hasEnded {
            // What others take longest for goes first.
            async let isDeleted: Void = deleteSupervised(row.id, force: true)
            async let isSnapshotRemoved: Void = images.removeSnapshot(row.id)
            async let areFilesRemoved: Void = mayBlock { [self] in try removeFiles(of: row.id) }
            async let isMarked = mark(row, force: true)
            // The mark first: what fails must not cancel it.
            _ = try await (isMarked, isDeleted, isSnapshotRemoved, areFilesRemoved)
        } else {
            try await deleteSupervised(row.id, force: true)
            faults.reach("engine.delete.supervisor-deleted")
            try await images.removeSnapshot(row.id)
            faults.reach("engine.delete.snapshot-removed")
            try await mayBlock { [self] in try removeFiles(of: row.id) }
        }
        faults.reach("engine.delete.files-removed")
        if row.state != .creating {
            await journal.waitForDeletion(of: row.id, atMost: Engine.journalPatience)
        }
        try await database.write(for: .removal) { db in
            let now = Clock.wallNanos
            // As it is now: the journal may have made visible what is being undone.
            guard var present = try row.present(db) else { return }
            // What was undone is made again by the same request.
            if row.state == .creating || !present.isLaunched { present.requestKey = nil }
            guard try present.bury(db, at: now), present.state != .creating else { return }
            try EventTable.insert(db, EngineEvent(present, "destroy", at: now))
        }
        faults.reach("engine.delete.row-deleted")
        changes.announce()
    }

    func removeFiles(of id: ContainerID) throws(EngineError) {
        do { try Files.removeTree(filesDirectory(of: id)) } catch { throw .file(error) }
    }

    func deleteSupervised(_ id: ContainerID, force: Bool) async throws {
        do throws(PeerError) {
            // Ids are random: none comes again.
            try await supervisor.delete(id, force: force, isFinal: force)
            journal.expectDeletion(of: id)
        } catch {
            guard error.kind == .notFound else { throw error }
        }
    }

    /// When this engine began to be there for its callers.
    struct Begun: Sendable {
        let wallUnixNanos = Clock.wallNanos
        let instant = ContinuousClock.now
    }

    /// Removes the containers that the supervisor says have ended for good, side by side.
    ///
    /// Those that ended before this engine had been up for a moment stay until then: who followed their output comes back.
    func removeWanted(since begun: Begun) async throws {
        let isBack = begun.wallUnixNanos + Int64(Engine.returnPatience / .nanoseconds(1))
        // By then nobody's hold counts any more whom an earlier engine's end has cut off.
        let isAlone = begun.wallUnixNanos + Int64(SpoolHold.patience / .nanoseconds(1))
        await withDiscardingTaskGroup { group in
            for await wanted in wantedRemovals.stream {
                group.addTask {
                    if wanted.endedAtUnixNanos < isBack {
                        let end = begun.instant.advanced(by: Engine.returnPatience)
                        guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return }
                    }
                    if wanted.endedAtUnixNanos < isAlone { await self.waitForHolders(of: wanted.id) }
                    await self.removeEnded(wanted)
                }
            }
        }
        try Task.checkCancellation()
    }

    /// Waits for those whose reading an earlier engine's end cut off, and who have not come back yet.
    private func waitForHolders(of id: ContainerID) async {
        guard let path = try? await state(of: id)?.outputDirectory else { return }
        let directory = SpoolDirectory(path: path)
        await withinLimit(SpoolHold.patience) {
            while SpoolHold.isLeft(in: directory) { try await Task.sleep(for: .milliseconds(100)) }
        }
    }

    /// A container that is to be removed, and since when.
    struct WantedRemoval: Sendable {
        let id: ContainerID
        let endedAtUnixNanos: Int64
    }

    func wantRemoval(of id: ContainerID, endedAtUnixNanos: Int64) {
        wantedRemovals.continuation.yield(WantedRemoval(id: id, endedAtUnixNanos: endedAtUnixNanos))
    }

    private func removeEnded(_ wanted: WantedRemoval) async {
        let id = wanted.id
        await readers.waitUntilGone(id, atMost: Engine.readersPatience)
        // Who was cut off, because this engine ends, comes back to the next, which sees that the container is to go.
        guard !isStopping, !Task.isCancelled else { return }
        do {
            // What is old by now may have been started again.
            let isOld = Clock.wallNanos - wanted.endedAtUnixNanos > Engine.newsNanos
            if isOld, try await state(of: id)?.removalWanted == false { return }
            faults.reach("engine.delete.removal-wanted")
            _ = try await remove(id.text, force: true, hasEnded: true)
        } catch EngineError.containerNotFound {
            // The user was faster.
        } catch is CancellationError {
            // The next start sees that the supervisor still wants it.
        } catch {
            // Repair comes back to it.
            logger.warning(
                "could not remove an ended container yet",
                metadata: ["id": "\(id)", "error": "\(error)"]
            )
        }
    }
}
