// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import Synchronization
internal import System

/// What the supervisor and the image store have of a new container outlives the machine's power a moment after its caller is
/// told of it: the row does before. What a power failure took meanwhile is made again of the row.
extension Engine {
    /// Who waits for what was made has heard of it by then, and needs the processors first.
    private static let keepingDelay = Duration.milliseconds(20)

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
                    guard (try? await Task.sleep(for: Engine.keepingDelay)) != nil else { return }
                    await self.keepInTime(row)
                }
            }
        }
        try Task.checkCancellation()
    }

    private func keepInTime(_ row: ContainerRow) async {
        do { try await keep(row) } catch is CancellationError {
            // The next engine sees that it is not settled.
        } catch {
            let isThere = try? await database.read { db in try ContainerRow.isUnsettled(db, row.id) }
            // It was removed meanwhile, mostly.
            guard isThere != false else { return }
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
        async let isSnapshotKept: Void = images.keepSnapshot(row.id, of: row.imageID)
        try await supervisor.keep(row.id)
        try await isSnapshotKept
        faults.reach("engine.keep.kept")
        try await database.write { db in try ContainerRow.settle(db, row.id) }
        faults.reach("engine.keep.settled")
    }

    /// Makes again what a power failure took of a container, and has all of it on the disk.
    func makeWhole(_ row: ContainerRow) async throws {
        // Within a boot nothing is lost.
        guard row.boot != boot else { return try await keep(row) }
        var state = try await state(of: row.id)
        let isWhole: Bool
        if state != nil { isWhole = try await hasSnapshot(row) } else { isWhole = false }
        if !isWhole {
            logger.notice("making a container again of its row", metadata: ["id": "\(row.id)"])
            // What it has names a snapshot that is no more.
            if state != nil { try await supervisor.delete(row.id, force: true, isFinal: false) }
            guard let order = try await orderAgain(row) else { return }
            state = try await supervisor.create(order)
        }
        if row.isLaunched, row.settings.restart.startsAtBoot, state?.run == 0 {
            do throws(PeerError) { _ = try await supervisor.start(row.id, key: row.requestKey ?? "") } catch {
                // That its program cannot be executed is how its run has ended.
                guard error.programFailure != nil else { throw error }
            }
        }
        try await keep(row)
    }

    /// - Returns: Nil where it was removed meanwhile, or can never be made again.
    private func orderAgain(_ row: ContainerRow) async throws -> ContainerOrder? {
        let layout = try await cgroupLayout()
        var order = try await mayBlock { [self] in try self.order(row, cgroupLayout: layout) }
        do throws(PeerError) {
            let snapshot = try await images.prepareSnapshot(row.id, of: row.imageID, called: "", .provisional)
            order.rootMounts = snapshot.mounts
        } catch {
            guard error.kind == .notFound else { throw error }
            logger.error(
                "a container that a power failure took cannot be made again: its image is gone",
                metadata: ["id": "\(row.id)", "image": "\(row.imageID)"]
            )
            try await database.write { db in try ContainerRow.settle(db, row.id) }
            return nil
        }
        // Whoever removes it does not ask who is busy with it.
        guard try await database.read({ db in try ContainerRow.isUnsettled(db, row.id) }) else { return nil }
        return order
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
    /// What ran at the machine's end is started after its next boot, as the supervisor does it: that end is no success.
    fileprivate var startsAtBoot: Bool { mode != .no }
}
