// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import Synchronization
internal import System

/// The user-facing events, and the reading of the supervisor's journal that most of them come from.
extension Engine {
    /// Which events somebody wants.
    package struct EventQuery: Sendable {
        /// 0: from now.
        package var sinceUnixNanos: Int64 = 0
        /// 0: without end.
        package var untilUnixNanos: Int64 = 0
        package var filter: EventFilter
        /// Goes on after this sequence; 0: from `since`.
        package var afterSequence: UInt64 = 0

        package init(filter: EventFilter) { self.filter = filter }
    }

    private static let eventsAtOnce = 256
    private static let catchUpPatience = Duration.milliseconds(500)
    private static let precedence = Duration.milliseconds(20)

    /// Hands over the stored events in order, then those that happen, until `until` has passed or the task is cancelled.
    /// - Throws: `.eventsGone` when what followed `afterSequence` is no longer kept.
    package func events(
        _ query: EventQuery,
        _ receive: @Sendable (EngineEvent) async throws -> Void
    ) async throws {
        async let imagesRead: Void = catchUpWithImages(atMost: Engine.catchUpPatience)
        await catchUp()
        await imagesRead
        var sequence = try await firstSequence(query)
        let stored = try await database.read { db in try EventTable.lastSequence(db) }
        // What happens before `until` may be told to us after it.
        var mayComeLate = query.untilUnixNanos > Clock.wallNanos
        while true {
            let seen = changes.version
            let after = sequence
            let found = try await database.read { db in
                try EventTable.after(db, after, until: query.untilUnixNanos, limit: Engine.eventsAtOnce)
            }
            for event in found {
                sequence = event.sequence
                // What the supervisor tells of a moment can be stored after what happened later. `since` is where
                // to begin among what is stored; what comes afterwards is told whatever its time.
                if event.sequence <= stored, event.wallUnixNanos < query.sinceUnixNanos { continue }
                if query.filter.matches(event) { try await receive(event) }
            }
            if found.count == Engine.eventsAtOnce { continue }
            guard query.untilUnixNanos > 0 else {
                try await changes.wait(beyond: seen)
                continue
            }
            let left = query.untilUnixNanos - Clock.wallNanos
            guard left > 0 else {
                guard mayComeLate else { return }
                mayComeLate = false
                await catchUp()
                continue
            }
            await withinLimit(.nanoseconds(left)) { [changes] in try await changes.wait(beyond: seen) }
            try Task.checkCancellation()
        }
    }

    /// What the supervisor has told before this call is stored when it returns, unless the supervisor is away.
    func catchUp() async {
        guard let target = try? await supervisor.list().position, target.sequence > 0 else { return }
        let isDone = await withinLimit(Engine.catchUpPatience) { [self] in
            while true {
                let seen = changes.version
                let reached = try await database.read { db in try EventTable.position(db) }
                if reached.journal == target.journal, reached.sequence >= target.sequence { return }
                if journal.isQuiet(upTo: target) { return }
                try await changes.wait(beyond: seen)
            }
        }
        // The last ones are somebody else's: they will not come.
        if !isDone, !Task.isCancelled { journal.noteQuiet(upTo: target) }
    }

    private func firstSequence(_ query: EventQuery) async throws -> UInt64 {
        try await database.read { db in
            if query.afterSequence > 0 {
                let oldest = try EventTable.oldestSequence(db) ?? 0
                guard oldest == 0 || query.afterSequence >= oldest - 1 else {
                    throw EngineError.eventsGone(after: query.afterSequence, oldest: oldest)
                }
                return query.afterSequence
            }
            if query.sinceUnixNanos > 0 { return try EventTable.sequence(db, before: query.sinceUnixNanos) }
            return try EventTable.lastSequence(db)
        }
    }

    /// Reads the supervisor's journal from where the last process stopped, and again from there whenever the supervisor
    /// was away; until cancelled.
    func readJournal() async throws {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                let position = try await database.read { db in try EventTable.position(db) }
                try await supervisor.followJournal(after: position) { event in
                    try await self.store(event)
                }
                pause = .milliseconds(100)
            } catch let error as PeerError where error.kind == .outOfRange {
                try await skipLostJournal()
            } catch let error as PeerError {
                logger.debug(
                    "the supervisor's journal cannot be read now",
                    metadata: ["error": "\(error.message)"]
                )
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.error("an event could not be stored", metadata: ["error": "\(error)"])
                pause = min(pause * 2, .seconds(5))
            }
            try await Task.sleep(for: pause)
        }
    }

    /// Stores what users are told about an event together with the place in the journal: once, whatever happens.
    func store(_ event: JournalEvent) async throws {
        faults.reach("engine.events.received")
        if event.action == .start { await letPass(event.container) }
        try await database.write { db in
            let position = try EventTable.position(db)
            guard position.journal != event.position.journal || position.sequence < event.position.sequence
            else {
                return
            }
            if let told = try Engine.told(db, event) { try EventTable.insert(db, told, from: event.position) }
            try EventTable.setPosition(db, event.position)
        }
        journal.noteStored()
        faults.reach("engine.events.stored")
        switch event.action {
        case .delete: journal.noteDeletion(of: event.container)
        case .removalWanted: wantRemoval(of: event.container, endedAtUnixNanos: event.wallUnixNanos)
        default: break
        }
        changes.announce()
    }

    /// Who waits for a container's creation is told of it before its start is stored; for a moment only, as others wait for
    /// the journal.
    private func letPass(_ id: ContainerID) async {
        guard isBusy(id) else { return }
        await withinLimit(Engine.precedence) { [self] in
            while true {
                let seen = changes.version
                guard isBusy(id) else { return }
                try await changes.wait(beyond: seen)
            }
        }
    }

    /// Writes at most every second how far the journal was read, so that the supervisor can drop what is before.
    func acknowledgeJournal() async throws {
        while true {
            try await Task.sleep(for: .seconds(1))
            let seen = changes.version
            guard journal.takeNews() else {
                try await changes.wait(beyond: seen)
                continue
            }
            do {
                let position = try await database.read { db in try EventTable.position(db) }
                guard let position = journal.toAcknowledge(position) else { continue }
                try await supervisor.acknowledge(position)
                faults.reach("engine.events.acknowledged")
                journal.noteAcknowledged(position)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.debug("the journal cannot be acknowledged now", metadata: ["error": "\(error)"])
                journal.noteStored()
            }
        }
    }

    /// Part of the journal was dropped before it was read: the state is asked for anyway, so only events are missing.
    private func skipLostJournal() async throws {
        do {
            let list = try await supervisor.list()
            let old = try await database.read { db in try EventTable.position(db) }
            var new = list.position
            // Another journal is read from its beginning if that is still there.
            if old.journal != new.journal { new.sequence = 0 }
            if old == new { new = list.position }
            let position = new
            logger.error(
                "events were lost: the supervisor's journal no longer has them",
                metadata: [
                    "read": "\(old.journal):\(old.sequence)", "continues": "\(new.journal):\(new.sequence)",
                ]
            )
            try await database.write { db in try EventTable.setPosition(db, position) }
            // A removal that was wanted may be among them.
            isRepairWanted.withLock { $0 = true }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning("the journal's position cannot be renewed now", metadata: ["error": "\(error)"])
        }
    }
}
