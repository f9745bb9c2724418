// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import System

/// Changing limits and restart policy: noted in the row → supervisor → row. Repair does again what was noted and not
/// finished; the supervisor's own step is all or nothing, and harmless when repeated.
extension Engine {
    /// - Returns: Whose limits they are, and what of them is known to have no effect on this machine.
    /// - Throws: `.invalidField`; `.updateFailed` when the kernel refuses, after which everything is as it was.
    package func update(
        _ reference: String,
        _ update: ContainerUpdate
    ) async throws -> (id: ContainerID, warnings: [String]) {
        guard !update.limits.isEmpty || update.restart != nil else {
            throw EngineError.invalidField(
                "update",
                "nothing is to be changed",
                advice: "give a limit or --restart"
            )
        }
        let row = try await keptRow(reference)
        try update.limits.check(over: row.settings, on: host)
        if let restart = update.restart, restart.mode != .no, row.settings.autoRemove {
            let text = "a container that is removed at its end cannot have a restart policy"
            throw EngineError.invalidField("restart policy", text)
        }
        faults.reach("engine.update.resolved")
        return try await outlivingCancellation { [self] in
            try await whileBusy(with: row.id) {
                try await change(row.id) { $0.pendingUpdate = update }
                faults.reach("engine.update.row-marked")
                try await carryOut(update, of: row)
                return (row.id, update.limits.warnings(on: host))
            }
        }
    }

    /// Goes on with an update that an earlier process began; one that the kernel refuses is forgotten.
    func resumeUpdate(of row: ContainerRow) async throws {
        guard let update = row.settings.pendingUpdate else { return }
        do {
            try await whileBusy(with: row.id) { try await carryOut(update, of: row) }
        } catch let error as EngineError {
            logger.notice("an update was given up", metadata: ["id": "\(row.id)", "error": "\(error)"])
        }
    }

    private func carryOut(_ update: ContainerUpdate, of row: ContainerRow) async throws {
        do throws(PeerError) {
            _ = try await supervisor.update(
                row.id,
                resources: update.limits.resources(on: host),
                restart: update.restart
            )
        } catch {
            guard error.kind != .unavailable, error.kind != .cancelled, error.kind != .deadlineExceeded else {
                throw error
            }
            try await change(row.id) { $0.pendingUpdate = nil }
            guard error.detail?.reason == "update_failed" else { throw error }
            throw EngineError.updateFailed(row.id, name: row.name, reason: error.message)
        }
        faults.reach("engine.update.updated")
        try await change(row.id) { settings in
            settings.pendingUpdate = nil
            settings.updated = update.limits.over(settings.updated ?? LimitsChange())
            if let restart = update.restart { settings.restart = restart }
        }
        faults.reach("engine.update.recorded")
        changes.announce()
    }

    private func change(
        _ id: ContainerID,
        _ change: @Sendable @escaping (inout ContainerSettings) -> Void
    ) async throws {
        try await database.write(durably: true) { db in
            guard var settings = try ContainerRow.one(db, id: id)?.settings else { return }
            change(&settings)
            try ContainerRow.setSettings(db, id, settings)
        }
    }
}
