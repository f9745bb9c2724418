// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// The table of user-facing events, and the places in the journals that they come from.
enum EventTable {
    /// Older events than this many are dropped.
    static let kept: Int64 = 100_000

    static func insert(_ db: Database, _ event: EngineEvent, from source: JournalPosition? = nil) throws {
        try db.run(
            """
            INSERT OR IGNORE INTO events
            (type, action, actor, attributes, wall_nanos, journal, journal_sequence)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                event.type.rawValue, event.action, event.actor, StoredJSON.text(event.attributes),
                event.wallUnixNanos, source?.journal, source.map { Int64(clamping: $0.sequence) },
            ]
        )
    }

    /// At most `limit` events after `sequence`, in order.
    /// - Parameter wallNanos: Leaves out what happened later; 0: nothing.
    static func after(
        _ db: Database,
        _ sequence: UInt64,
        until wallNanos: Int64 = 0,
        limit: Int
    ) throws -> [EngineEvent] {
        try Row.fetchAll(
            db,
            sql: "SELECT * FROM events WHERE sequence > ? AND wall_nanos <= ? ORDER BY sequence LIMIT ?",
            arguments: [Int64(clamping: sequence), wallNanos > 0 ? wallNanos : .max, limit]
        ).compactMap { row in
            guard let type = EngineEvent.Subject(rawValue: row["type"]) else { return nil }
            var event = EngineEvent(
                type: type,
                action: row["action"],
                actor: row["actor"],
                attributes: try StoredJSON.value([String: String].self, of: row["attributes"]),
                wallUnixNanos: row["wall_nanos"]
            )
            event.sequence = UInt64(row["sequence"] as Int64)
            return event
        }
    }

    /// The sequence right before the first event at or after `wallNanos`.
    static func sequence(_ db: Database, before wallNanos: Int64) throws -> UInt64 {
        let first = try Int64.fetchOne(
            db,
            sql: "SELECT MIN(sequence) FROM events WHERE wall_nanos >= ?",
            arguments: [wallNanos]
        )
        return try first.map { UInt64($0 - 1) } ?? lastSequence(db)
    }

    static func lastSequence(_ db: Database) throws -> UInt64 {
        UInt64(try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'events'") ?? 0)
    }

    static func oldestSequence(_ db: Database) throws -> UInt64? {
        try Int64.fetchOne(db, sql: "SELECT MIN(sequence) FROM events").map(UInt64.init)
    }

    static func discardOld(_ db: Database) throws {
        let last = Int64(clamping: try lastSequence(db))
        try db.execute(sql: "DELETE FROM events WHERE sequence <= ?", arguments: [last - kept])
    }

    /// What other daemons tell, by the table with the place that was reached.
    enum Journal: String, Sendable {
        case supervisor = "journal_position"
        case images = "image_journal_position"
    }

    static func position(_ db: Database, in journal: Journal = .supervisor) throws -> JournalPosition {
        let row = try db.row("SELECT journal, sequence FROM \(journal.rawValue)")
        guard let row else { throw EngineError.database("the journal's position is missing") }
        return JournalPosition(journal: row["journal"], sequence: UInt64(row["sequence"] as Int64))
    }

    static func setPosition(
        _ db: Database,
        _ position: JournalPosition,
        in journal: Journal = .supervisor
    ) throws {
        try db.run(
            "UPDATE \(journal.rawValue) SET journal = ?, sequence = ?",
            [position.journal, Int64(clamping: position.sequence)]
        )
    }
}
