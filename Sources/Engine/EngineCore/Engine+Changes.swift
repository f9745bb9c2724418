// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// Changes to a container that is there: standing still, its name.
extension Engine {
    /// Lets every process of a running container stand still.
    /// - Throws: `.notRunning`, `.alreadyPaused`.
    package func pause(_ reference: String) async throws -> ContainerID {
        let row = try await keptRow(reference)
        guard let state = try await state(of: row.id), state.phase.isRunning else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        guard state.phase != .paused else { throw EngineError.alreadyPaused(row.id, name: row.name) }
        faults.reach("engine.pause.resolved")
        _ = try await supervisor.pause(row.id)
        faults.reach("engine.pause.paused")
        return row.id
    }

    /// Lets them go on.
    /// - Throws: `.notRunning`, `.notPaused`.
    package func unpause(_ reference: String) async throws -> ContainerID {
        let row = try await keptRow(reference)
        guard let state = try await state(of: row.id), state.phase.isRunning else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        guard state.phase == .paused else { throw EngineError.notPaused(row.id, name: row.name) }
        faults.reach("engine.unpause.resolved")
        _ = try await supervisor.unpause(row.id)
        faults.reach("engine.unpause.unpaused")
        return row.id
    }

    /// Gives a container another name. The supervisor knows none, so the row is all there is to change.
    /// - Throws: `.invalidName`, `.nameTaken`, `.invalidField` when it is called so already.
    package func rename(_ reference: String, to name: String) async throws -> ContainerID {
        let wanted = try ContainerName(name)
        let row = try await usableRow(reference)
        guard row.name != wanted.text else {
            throw EngineError.invalidField(
                "name",
                "container \(row.id.short) is called \(wanted.text) already"
            )
        }
        faults.reach("engine.rename.resolved")
        try await database.write(durably: true) { db in
            try ContainerRow.rename(db, row.id, to: wanted.text)
            var renamed = row
            renamed.name = wanted.text
            var event = EngineEvent(renamed, "rename", at: Clock.wallNanos)
            event.attributes["oldName"] = "/" + row.name
            try EventTable.insert(db, event)
        }
        faults.reach("engine.rename.recorded")
        changes.announce()
        return row.id
    }
}
