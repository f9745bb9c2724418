// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// Start, stop, kill and wait: the supervisor does them, the engine knows who is meant.
extension Engine {
    /// Starts a container; one that runs already is left as it is.
    /// - Parameter key: A call repeated with the same key starts no second run. Empty: one is made up, so that at least the
    ///   supervisor's restarts start nothing twice.
    /// - Throws: `.startFailed` when the program was not executed; the container then stays as it was, unless it was to
    ///   be removed at its end. `.paused` for one that stands still.
    /// - Parameter isRestart: It was stopped just now by the same user: told as `restart`.
    package func start(
        _ reference: String,
        key: String = "",
        isRestart: Bool = false
    ) async throws -> ContainerID {
        let key = try RequestKey.checked(key)
        let row = try await keptRow(reference)
        faults.reach("engine.start.resolved")
        let state: SupervisedContainer
        do throws(PeerError) { state = try await supervisor.start(row.id, key: key) } catch {
            throw Engine.startFailure(of: row, error)
        }
        faults.reach("engine.start.started")
        if let failure = Engine.startFailure(of: row, state) { throw failure }
        if state.phase == .paused { throw EngineError.paused(row.id, name: row.name) }
        if isRestart {
            // After the start, which the journal tells.
            await catchUp()
            try await record(EngineEvent(row, "restart", at: Clock.wallNanos))
        }
        return row.id
    }

    /// Ends a container with its stop signal, and with SIGKILL when its time is over. Stopping a stopped one is harmless.
    /// - Parameter timeoutSeconds: Nil: the container's own.
    /// - Parameter signal: Empty: the container's own.
    package func stop(_ reference: String, timeoutSeconds: UInt32?, signal: String) async throws
        -> ContainerID
    {
        let number = signal.isEmpty ? 0 : try ContainerSignal(signal).number
        let row = try await keptRow(reference)
        faults.reach("engine.stop.resolved")
        let timeout = timeoutSeconds.map { UInt32(clamping: UInt64($0) * 1000) }
        _ = try await supervisor.stop(row.id, timeoutMillis: timeout, signal: number)
        faults.reach("engine.stop.stopped")
        return row.id
    }

    /// Sends a signal to a running container.
    /// - Parameter signal: Empty: SIGKILL.
    /// - Throws: `.notRunning`, `.invalidSignal`.
    package func kill(_ reference: String, signal: String) async throws -> ContainerID {
        let signal = signal.isEmpty ? ContainerSignal.kill : try ContainerSignal(signal)
        let row = try await keptRow(reference)
        guard let state = try await state(of: row.id), state.phase.isRunning else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        faults.reach("engine.kill.resolved")
        _ = try await supervisor.kill(row.id, signal: signal.number)
        return row.id
    }

    /// Waits, rightly without end, until the condition holds. Works for lately removed containers, and through a restart
    /// of the supervisor.
    package func wait(_ reference: String, until condition: WaitCondition) async throws -> SupervisedExit {
        let id = try await idOfPresentOrRemoved(reference)
        let before = condition == .nextExit ? try await state(of: id) : nil
        while true {
            do throws(PeerError) {
                let exit = try await supervisor.wait(id, until: condition)
                if condition == .removed { try await waitUntilGone(id) }
                return exit
            } catch {
                switch error.kind {
                case .notFound: throw EngineError.containerNotFound(reference)
                case .unavailable: break
                default: throw error
                }
            }
            try await Task.sleep(for: .milliseconds(100))
            // An exit while the supervisor was away must not be waited for again.
            if condition == .nextExit, let before, let exit = try await state(of: id)?.exit,
                exit.atUnixNanos > before.exit?.atUnixNanos ?? 0
            {
                return exit
            }
        }
    }

    private func idOfPresentOrRemoved(_ reference: String) async throws -> ContainerID {
        try await database.read { db in
            if let id = ContainerID(reference), try ContainerRow.isVisible(db, id) { return id }
            do { return try ContainerRow.resolve(db, reference).id } catch EngineError.containerNotFound {
                guard let removed = try Tombstone.resolve(db, reference) else {
                    throw EngineError.containerNotFound(reference)
                }
                return removed.id
            }
        }
    }

    private func waitUntilGone(_ id: ContainerID) async throws(PeerError) {
        do {
            while true {
                let seen = changes.version
                let isThere = try await database.read { db in try ContainerRow.exists(db, id) }
                if !isThere { return }
                try await changes.wait(beyond: seen)
            }
        } catch {
            throw PeerError(daemon: "engine", kind: .cancelled, message: "\(error)")
        }
    }
}
