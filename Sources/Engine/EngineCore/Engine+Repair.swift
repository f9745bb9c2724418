// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import Suite
internal import Synchronization
internal import System

/// What an earlier process left half done is undone or finished; what other daemons keep for nobody is taken away.
extension Engine {
    private static let pause = Duration.seconds(10)
    private static let patienceAtStart = Duration.seconds(10)
    private static let tombstonesKeptNanos: Int64 = 24 * 3600 * 1_000_000_000

    /// Repairs, then says that the engine is ready (after a bounded time even if a peer is away), and goes on.
    func repairRepeatedly(ready: @Sendable @escaping () -> Void) async throws {
        await withinLimit(Engine.patienceAtStart) {
            while await !self.repair() { try await Task.sleep(for: .milliseconds(200)) }
        }
        try Task.checkCancellation()
        ready()
        while true {
            try await Task.sleep(for: Engine.pause)
            _ = await repair()
        }
    }

    /// One round.
    /// - Returns: Whether everything could be done.
    func repair() async -> Bool {
        do {
            let rows = try await database.read { db in try ContainerRow.all(db) }
            for row in rows where row.state != .created && !isBusy(row.id) { try await finish(row) }
            for row in rows where row.settings.pendingUpdate != nil && row.state == .created {
                if !isBusy(row.id) { try await resumeUpdate(of: row) }
            }
            try await sweep()
            location.keepReserve()
            try await database.write { db in
                try Tombstone.discard(db, before: Clock.wallNanos - Engine.tombstonesKeptNanos)
                try EventTable.discardOld(db)
            }
            return true
        } catch {
            logger.warning("repair could not be finished yet", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func isBusy(_ id: ContainerID) -> Bool { busy.withLock { $0.contains(id) } }

    private func finish(_ row: ContainerRow) async throws {
        logger.notice(
            row.state == .creating ? "undoing a container's creation" : "finishing a container's removal",
            metadata: ["id": "\(row.id)"]
        )
        try await whileBusy(with: row.id) { try await dismantle(row) }
    }

    /// Takes away what a request that outlived its engine left at a peer: objects of containers that were undone or
    /// removed. One that the engine never heard of means that its database was lost: that is told, and nothing is lost
    /// on top.
    private func sweep() async throws {
        // Listed before the rows are read: a row comes before everything else of a container.
        let folders = try Engine.folders(in: directory)
        let supervised = try await supervisor.list().containers
        let snapshots = try await images.snapshots()
        let (known, buried) = try await database.read { db in
            (Set(try ContainerRow.all(db).map(\.id.text)), try Tombstone.ids(db))
        }
        for container in supervised where !known.contains(container.id.text) && !isBusy(container.id) {
            guard buried.contains(container.id.text) else {
                logger.error(
                    "the supervisor has a container that is not in the engine's database",
                    metadata: ["id": "\(container.id)"]
                )
                continue
            }
            try await deleteSupervised(container.id, force: true)
        }
        for key in snapshots where !known.contains(key) {
            guard let id = ContainerID(key), buried.contains(key) else {
                logger.error(
                    "the image store has a snapshot that is not in the engine's database",
                    metadata: ["key": "\(key)"]
                )
                continue
            }
            if !isBusy(id) { try await images.removeSnapshot(id) }
        }
        for container in supervised where container.removalWanted && known.contains(container.id.text) {
            guard !isBusy(container.id) else { continue }
            wantRemoval(of: container.id, endedAtUnixNanos: container.exit?.atUnixNanos ?? 0)
        }
        for name in folders where !known.contains(name) {
            guard let id = ContainerID(name), !isBusy(id) else { continue }
            do { try Files.removeTree(filesDirectory(of: id)) } catch { throw EngineError.file(error) }
        }
    }

    private static func folders(in directory: String) throws -> [String] {
        do { return try Files.names(in: directory + "/containers") } catch { throw EngineError.file(error) }
    }
}
