// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import System

/// The reading of the image store's events. The store records each in the transaction that makes it true, so that no
/// death of either daemon loses or repeats one.
extension Engine {
    /// Reads from where the last process stopped, and again from there whenever the store was away; until cancelled.
    func readImageEvents() async throws {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                let position = try await database.read { db in try EventTable.position(db, in: .images) }
                try await images.followEvents(after: position) { event in
                    try await self.store(event)
                }
                pause = .milliseconds(100)
            } catch let error as PeerError where error.kind == .outOfRange {
                try await skipLostImageEvents()
            } catch let error as PeerError {
                logger.debug(
                    "the image store's events cannot be read now",
                    metadata: ["error": "\(error.message)"]
                )
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.error("an event of an image could not be stored", metadata: ["error": "\(error)"])
                pause = min(pause * 2, .seconds(5))
            }
            try await Task.sleep(for: pause)
        }
    }

    /// Stores an event together with its place in the store's journal: once, whatever happens.
    func store(_ event: StoredImageEvent) async throws {
        faults.reach("engine.image-events.received")
        try await database.write { db in
            let position = try EventTable.position(db, in: .images)
            guard position.journal != event.position.journal || position.sequence < event.position.sequence
            else {
                return
            }
            try EventTable.insert(db, EngineEvent(event), from: event.position)
            try EventTable.setPosition(db, event.position, in: .images)
        }
        faults.reach("engine.image-events.stored")
        changes.announce()
    }

    /// What the image store has told before this call is stored when it returns, unless the store is away.
    func catchUpWithImages(atMost limit: Duration) async {
        await withinLimit(limit) { [self] in
            let target = try await images.eventPosition()
            while target.sequence > 0 {
                let seen = changes.version
                let reached = try await database.read { db in try EventTable.position(db, in: .images) }
                if reached.journal == target.journal, reached.sequence >= target.sequence { return }
                try await changes.wait(beyond: seen)
            }
        }
    }

    private func skipLostImageEvents() async throws {
        do throws(PeerError) {
            let position = try await images.eventPosition()
            logger.error(
                "events of images were lost: the image store no longer has them",
                metadata: ["continues": "\(position.journal):\(position.sequence)"]
            )
            try? await database.write { db in try EventTable.setPosition(db, position, in: .images) }
        } catch {
            logger.debug(
                "the place in the image store's events is not known",
                metadata: ["error": "\(error)"]
            )
        }
    }
}

extension EngineEvent {
    init(_ event: StoredImageEvent) {
        self.init(
            type: .image,
            action: event.action,
            actor: event.image,
            attributes: ["name": event.name],
            wallUnixNanos: event.wallUnixNanos
        )
    }
}
