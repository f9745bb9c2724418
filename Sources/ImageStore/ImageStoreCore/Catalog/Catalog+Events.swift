// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import GRDB
internal import System

/// What happened to images, numbered in the order in which it was committed.
extension Catalog {
    /// Older events than so many are dropped.
    private static let kept: Int64 = 10_000

    /// Tells of something, in the transaction in which it happens: so it is told if and only if it has happened.
    /// - Parameter name: The name concerned, as users know it; the id where there is none.
    static func tell(_ db: Database, _ action: ImageEvent.Action, image hex: String, name: String? = nil)
        throws
    {
        try db.execute(
            sql: "INSERT INTO event (action, image, name, wallNanos) VALUES (?, ?, ?, ?)",
            arguments: [action.rawValue, hex, name ?? "sha256:" + hex, Clock.wallNanos]
        )
        try db.execute(sql: "DELETE FROM event WHERE sequence <= ?", arguments: [db.lastInsertedRowID - kept])
    }

    static func eventPosition(_ db: Database) throws -> ImageEventPosition {
        ImageEventPosition(
            journal: try String.fetchOne(db, sql: "SELECT id FROM journal") ?? "",
            sequence: UInt64(
                try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'event'") ?? 0
            )
        )
    }

    /// At most `limit` events after `position`, in order.
    /// - Throws: `.eventsGone` when others lie between that are no longer kept, or it is no place in this journal.
    static func events(_ db: Database, after position: ImageEventPosition, limit: Int) throws -> [ImageEvent]
    {
        let present = try eventPosition(db)
        let oldest = try Int64.fetchOne(db, sql: "SELECT MIN(sequence) FROM event").map(UInt64.init)
        let isOurs = position.journal.isEmpty || position.journal == present.journal
        let isKept = position.sequence == present.sequence || position.sequence + 1 >= oldest ?? .max
        let isBeginning = position.journal.isEmpty && position.sequence == 0
        guard isBeginning || isOurs && isKept && position.sequence <= present.sequence else {
            throw ImageStoreError.eventsGone(present: present)
        }
        return try Row.fetchAll(
            db,
            sql: "SELECT * FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?",
            arguments: [Int64(clamping: position.sequence), limit]
        ).compactMap { row in
            guard let action = ImageEvent.Action(rawValue: row["action"]) else { return nil }
            return ImageEvent(
                position: ImageEventPosition(
                    journal: present.journal,
                    sequence: UInt64(row["sequence"] as Int64)
                ),
                action: action,
                imageID: "sha256:" + (row["image"] as String),
                name: row["name"],
                wallUnixNanos: row["wallNanos"]
            )
        }
    }
}

/// Announces commits that have added events.
final class EventObserver: TransactionObserver {
    private let changes: Changes
    private var hasEvents = false

    init(_ changes: Changes) { self.changes = changes }

    func observes(eventsOfKind kind: DatabaseEventKind) -> Bool { kind.tableName == "event" }

    func databaseDidChange(with event: DatabaseEvent) { hasEvents = true }

    func databaseDidCommit(_ db: Database) {
        guard hasEvents else { return }
        hasEvents = false
        changes.announce()
    }

    func databaseDidRollback(_ db: Database) { hasEvents = false }
}
