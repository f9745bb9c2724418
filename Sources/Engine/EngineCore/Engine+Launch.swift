// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import GRDB
internal import Synchronization
internal import System

/// Making and starting a container in one: the supervisor's record of the start is what makes both happen.
///
/// Until that record is there, a repair undoes all of it. After it, the container is there, and whoever comes first makes
/// its row visible: this call, the journal's first word of the run, a repair, or the next engine. The same call, repeated
/// with its key, then finds it, also when it has been and gone.
extension Engine {
    /// How a new container is started.
    package struct Launch: Hashable, Sendable {
        /// The caller asks for its output next: one that removes itself waits for that.
        package let wantsOutput: Bool

        package init(wantsOutput: Bool) { self.wantsOutput = wantsOutput }
    }

    /// The container of an earlier request with this key; one that is still being made is waited for.
    /// - Parameter launch: It is started if it was not yet; one that was removed since did run.
    func made(byRequest key: String, _ launch: Launch?) async throws -> Creation? {
        while true {
            let seen = changes.version
            let (present, removed) = try await database.look { db in
                let present = try ContainerRow.one(db, requestKey: key)
                guard present == nil, launch != nil else { return (present, Tombstone?.none) }
                return (nil, try Tombstone.one(db, requestKey: key))
            }
            guard let row = present else {
                return removed.map { Creation(id: $0.id, name: $0.name ?? "", warnings: []) }
            }
            // What is being undone after it was visible is no answer either.
            let isBeingUndone = row.state.isRemoval && !row.isLaunched && isBusy(row.id)
            guard row.state == .creating || isBeingUndone else {
                if let launch { try await takeUp(launch, of: row, key: key) }
                return creation(of: row, cgroupLayout: try await cgroupLayout())
            }
            try await changes.wait(beyond: seen)
        }
    }

    /// The rest of a launch that was cut off.
    private func takeUp(_ launch: Launch, of row: ContainerRow, key: String) async throws {
        guard row.state == .created else { return }
        expectReader(launch, of: row)
        do { _ = try await start(row.id.text, key: key) } catch {
            readers.stopExpecting(row.id)
            guard Engine.isOfRemoval(error) else { throw error }
        }
    }

    /// It has been, and is going or gone.
    private static func isOfRemoval(_ error: any Error) -> Bool {
        switch error {
        case EngineError.beingRemoved, EngineError.containerNotFound: true
        case let error as PeerError: error.isOfRemoval
        default: false
        }
    }

    private func expectReader(_ launch: Launch, of row: ContainerRow) {
        if launch.wantsOutput, row.settings.autoRemove { readers.expect(row.id) }
    }

    /// Last step of making a container that is to run.
    /// - Returns: Why its program was not executed, or is not known to have been. The container is there, or it is for a
    ///   repair to say.
    func launch(_ row: ContainerRow, _ order: ContainerOrder, _ launch: Launch) async throws -> (any Error)? {
        var keyed = order
        keyed.startKey = row.requestKey ?? ""
        keyed.output.expectsReader = launch.wantsOutput
        let order = keyed
        // Not cancellable: it may run by now, and a caller that goes away leaves it.
        return try await outlivingCancellation { [self] in
            // Until its caller can ask for its output.
            readers.enter(row.id)
            defer { readers.leave(row.id) }
            let failure = try await begin(row, order)
            if failure == nil { expectReader(launch, of: row) }
            return failure
        }
    }

    private func begin(_ row: ContainerRow, _ order: ContainerOrder) async throws -> (any Error)? {
        var failure: (any Error)?
        var since = row.createdAtUnixNanos
        do throws(PeerError) {
            var state = try await supervisor.create(order)
            // One of before there were starts in a creation.
            if state.run == 0 { state = try await supervisor.start(row.id, key: order.startKey) }
            if state.startedAtUnixNanos > 0 { since = state.startedAtUnixNanos }
            failure = Engine.startFailure(of: row, state)
        } catch {
            // Repeated, when it has run and is on its way out.
            if !error.isOfRemoval {
                // Where nobody can say, it is neither shown nor undone here: it may run.
                guard let begun = try? await begun(row.id) else {
                    isRepairWanted.withLock { $0 = true }
                    return error
                }
                guard let state = begun.state else { throw error }
                if state.startedAtUnixNanos > 0 { since = state.startedAtUnixNanos }
                failure = Engine.startFailure(of: row, error)
            }
        }
        faults.reach("engine.create.launched")
        let begun = since
        try await database.write { db in _ = try Engine.publish(db, row, at: min(begun, Clock.wallNanos)) }
        changes.announce()
        keepSoon(row)
        return failure
    }

    struct BegunState: Sendable { let state: SupervisedContainer? }

    /// What the supervisor knows of one that it was told to start, whatever came of that; none where it was not.
    func begun(_ id: ContainerID) async throws -> BegunState {
        let state = try await state(of: id)
        return BegunState(state: state?.run ?? 0 > 0 ? state : nil)
    }

    /// The journal's word of a run makes visible what was made to run.
    /// - Returns: Whether it did.
    static func publish(_ db: Database, by event: JournalEvent) throws -> Bool {
        // As a rule it is visible long since, and not worth to be read.
        guard event.action == .start || event.action == .die,
            try ContainerRow.isHidden(db, event.container),
            let row = try ContainerRow.one(db, id: event.container)
        else { return false }
        return try publish(db, row, at: event.wallUnixNanos)
    }

    /// Nil when the program was executed.
    static func startFailure(of row: ContainerRow, _ state: SupervisedContainer) -> (any Error)? {
        guard !state.phase.isRunning, let exit = state.exit, !exit.failure.isEmpty else { return nil }
        return EngineError.startFailed(row.id, code: exit.code, reason: exit.failure)
    }

    static func startFailure(of row: ContainerRow, _ error: PeerError) -> any Error {
        guard let failure = error.programFailure else { return error }
        return EngineError.startFailed(row.id, code: failure.code, reason: failure.reason)
    }
}
