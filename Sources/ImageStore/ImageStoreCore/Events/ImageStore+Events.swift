// SPDX-License-Identifier: Apache-2.0
internal import Events

/// What happened to images, for those who tell users.
extension ImageStore {
    private static let eventsAtOnce = 256

    /// Hands over the events after `position` in order, then those that happen; ends by cancellation.
    /// - Throws: `.eventsGone` when some of them are no longer kept.
    package func events(
        after position: ImageEventPosition,
        _ receive: (ImageEvent) async throws -> Void
    ) async throws {
        var position = position
        while true {
            let seen = catalog.eventsChanged.version
            let after = position
            let events = try await catalog.transaction { db in
                try Catalog.events(db, after: after, limit: Self.eventsAtOnce)
            }
            for event in events {
                try await receive(event)
                position = event.position
            }
            if events.isEmpty { try await catalog.eventsChanged.wait(beyond: seen) }
        }
    }

    /// The place of the last event.
    package func eventPosition() async throws(ImageStoreError) -> ImageEventPosition {
        try await catalog.transaction { try Catalog.eventPosition($0) }
    }
}
