// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import Synchronization
internal import System

/// What the supervisor and the image store have of a new container outlives the machine's power a moment after its caller is
/// told of it: the row does before. What a power failure took meanwhile is made again of the row.
extension Engine {
    /// Who waits for what was made has heard of it by then, and needs the processors first.
    private static let precedence = Duration.milliseconds(20)

    /// Somebody was told of it, or is about to be.
    func keepSoon(_ row: ContainerRow) {
        guard !row.isSettled else { return }
        made.continuation.yield(row)
    }

    /// Keeps what was made, side by side, until cancelled.
    func keepMade() async throws {
        await withDiscardingTaskGroup { group in
            for await row in made.stream {
                group.addTask {
                    guard (try? await Task.sleep(for: Engine.precedence)) != nil else { return }
                    await self.keepInTime(row)
                }
            }
        }
        try Task.checkCancellation()
    }

    private func keepInTime(_ row: ContainerRow) async {
        do { try await keep(row) } catch is CancellationError {
            // The next engine sees that it is not settled.
        } catch let error as PeerError where error.kind == .notFound {
            // It was removed meanwhile; otherwise repair knows what to do.
            isRepairWanted.withLock { $0 = true }
        } catch {
            isRepairWanted.withLock { $0 = true }
            logger.warning(
                "a new container is not on the disk yet",
                metadata: ["id": "\(row.id)", "error": "\(error)"]
            )
        }
    }

    /// Returns once what others have of it is on the disk. Repeating it is harmless.
    /// - Throws: a `PeerError`: `.notFound` where one of them has nothing of it.
    func keep(_ row: ContainerRow) async throws {
        async let isSnapshotKept: Void = images.keepSnapshot(row.id)
        try await supervisor.keep(row.id)
        try await isSnapshotKept
        faults.reach("engine.keep.kept")
        try await database.write { db in try ContainerRow.settle(db, row.id) }
        faults.reach("engine.keep.settled")
    }

    /// Makes again what a power failure took of a container, and has all of it on the disk.
    func makeWhole(_ row: ContainerRow) async throws {
        let state = try await state(of: row.id)
        let hasSnapshot = try await hasSnapshot(row)
        // What runs has what it needs.
        if let state, hasSnapshot || state.phase.isRunning { return try await keep(row) }
        logger.notice("making a container again of its row", metadata: ["id": "\(row.id)"])
        // It names a snapshot that is no more.
        if state != nil { try await supervisor.delete(row.id, force: true, isFinal: false) }
        let layout = try await cgroupLayout()
        var order = try await mayBlock { [self] in try self.order(row, cgroupLayout: layout) }
        order.rootMounts = try await images.prepareSnapshot(
            row.id,
            of: row.imageID,
            called: "",
            .lasting
        ).mounts
        order.isProvisional = false
        _ = try await supervisor.create(order)
        if row.isLaunched, row.settings.restart.startsAtBoot {
            _ = try await supervisor.start(row.id, key: row.requestKey ?? "")
        }
        try await database.write { db in try ContainerRow.settle(db, row.id) }
    }

    /// False only where a power failure has taken it before it lasted.
    private func hasSnapshot(_ row: ContainerRow) async throws -> Bool {
        do throws(PeerError) { _ = try await images.snapshot(row.id) } catch {
            guard error.kind == .notFound else { throw error }
            return false
        }
        return true
    }
}

extension ContainerSettings.RestartPolicy {
    /// What ran at the machine's end is started after its next boot.
    fileprivate var startsAtBoot: Bool { mode == .always || mode == .unlessStopped }
}
