// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// A container as the engine's database has it.
struct ContainerRow: Sendable {
    enum State: String, Sendable {
        /// Being made; nobody sees it, and the next start undoes it, unless its first run has begun, or may have before a boot.
        case creating
        case created
        /// Being removed, unless it runs: nobody asked for it to be killed. The next start asks again.
        case removingUnlessRunning = "removing-unless-running"
        /// Being removed; the next start finishes that.
        case removing

        var isRemoval: Bool { self == .removing || self == .removingUnlessRunning }
    }

    var id: ContainerID
    var name: String
    var state: State
    var imageID: String
    var settings: ContainerSettings
    var resolved: ResolvedConfiguration
    var createdAtUnixNanos: Int64
    /// Of the request that made it; nil in rows of before there were keys.
    var requestKey: String?
    /// What others have of it outlives the machine's power, as far as it is to. Until then it may be visible, and is made
    /// again of what is here where that has taken something.
    var isSettled: Bool
    /// The machine's boot in which it was made; empty in rows of before that was written down.
    var boot: String
    /// Its making includes a start.
    var isLaunched: Bool

    /// What events about it carry.
    var eventAttributes: [String: String] {
        resolved.labels.merging(["name": name, "image": settings.image]) { $1 }
    }
}

extension ContainerRow {
    init(_ row: Row) throws {
        try self.init(
            row,
            settings: StoredJSON.value(ContainerSettings.self, of: row["settings"]),
            resolved: StoredJSON.value(ResolvedConfiguration.self, of: row["resolved"])
        )
    }

    /// With what the JSON in it says.
    init(_ row: Row, settings: ContainerSettings, resolved: ResolvedConfiguration) throws {
        guard let id = ContainerID(row["id"]), let state = State(rawValue: row["state"]) else {
            throw EngineError.database("a container's row is damaged: \(row["id"] as String)")
        }
        self.init(
            id: id,
            name: row["name"],
            state: state,
            imageID: row["image_id"],
            settings: settings,
            resolved: resolved,
            createdAtUnixNanos: row["created_at"],
            requestKey: row["request_key"],
            isSettled: row["is_settled"],
            boot: row["boot"],
            isLaunched: row["is_launched"]
        )
    }

    static func all(_ db: Database) throws -> [ContainerRow] {
        try Row.fetchAll(db, sql: "SELECT * FROM containers ORDER BY created_at DESC, id").map(
            ContainerRow.init
        )
    }

    static func one(_ db: Database, id: ContainerID) throws -> ContainerRow? {
        try db.row("SELECT * FROM containers WHERE id = ?", [id.text]).map(ContainerRow.init)
    }

    /// This container's row as it is now: nothing else of it that others are told ever changes.
    func present(_ db: Database) throws -> ContainerRow? {
        let found = try db.row("SELECT state, name, is_launched FROM containers WHERE id = ?", [id.text])
        guard let found else { return nil }
        guard let state = State(rawValue: found["state"]) else {
            throw EngineError.database("a container's row is damaged: \(id)")
        }
        var row = self
        (row.state, row.name, row.isLaunched) = (state, found["name"], found["is_launched"])
        return row
    }

    static func exists(_ db: Database, _ id: ContainerID) throws -> Bool {
        try db.row("SELECT 1 FROM containers WHERE id = ?", [id.text]) != nil
    }

    /// The same, for one that users see.
    static func isVisible(_ db: Database, _ id: ContainerID) throws -> Bool {
        try db.row("SELECT 1 FROM containers WHERE id = ? AND state <> 'creating'", [id.text]) != nil
    }

    /// Whether it is being made, and nobody sees it.
    static func isHidden(_ db: Database, _ id: ContainerID) throws -> Bool {
        try db.row("SELECT 1 FROM containers WHERE id = ? AND state = 'creating'", [id.text]) != nil
    }

    /// Whether it is there, is not being removed, and what others have of it may still be lost.
    static func isUnsettled(_ db: Database, _ id: ContainerID) throws -> Bool {
        try db.row(
            "SELECT 1 FROM containers WHERE id = ? AND is_settled = 0 AND state IN ('creating', 'created')",
            [id.text]
        ) != nil
    }

    /// What events about a container carry, without reading all that is known of it: there are many events.
    static func eventAttributes(_ db: Database, id: ContainerID) throws -> (State, [String: String])? {
        let row = try db.row(
            """
            SELECT state, name, json_extract(settings, '$.image') AS image,
                json_extract(resolved, '$.labels') AS labels FROM containers WHERE id = ?
            """,
            [id.text]
        )
        guard let row, let state = State(rawValue: row["state"]) else { return nil }
        let labels = try StoredJSON.value([String: String].self, of: row["labels"])
        return (state, labels.merging(["name": row["name"], "image": row["image"]]) { $1 })
    }

    /// The container that a request with this key has made, or is making.
    static func one(_ db: Database, requestKey: String) throws -> ContainerRow? {
        try db.row("SELECT * FROM containers WHERE request_key = ?", [requestKey]).map(ContainerRow.init)
    }

    /// The visible container with this id, name, or unambiguous beginning of an id: in that order.
    static func resolve(
        _ db: Database,
        _ reference: String,
        _ read: (Row) throws -> ContainerRow = { try ContainerRow($0) }
    ) throws -> ContainerRow {
        let visible = "SELECT * FROM containers WHERE state <> 'creating' AND"
        let name = reference.hasPrefix("/") ? String(reference.dropFirst()) : reference
        for (column, value) in [("id", reference), ("name", name)] {
            if let row = try db.row("\(visible) \(column) = ?", [value]) { return try read(row) }
        }
        guard ContainerID.isPrefix(reference) else { throw EngineError.containerNotFound(reference) }
        let found = try Row.fetchAll(
            db,
            sql: "\(visible) id >= ? AND id < ? ORDER BY id LIMIT 11",
            arguments: [reference, reference + "g"]
        )
        guard let first = found.first else { throw EngineError.containerNotFound(reference) }
        guard found.count == 1 else {
            let candidates = try found.prefix(10).map { row in
                let row = try ContainerRow(row)
                return "\(row.id.short) (\(row.name))"
            }
            throw EngineError.ambiguousPrefix(reference, candidates: candidates)
        }
        return try read(first)
    }

    /// - Throws: `.nameTaken` with the holder's id.
    func insert(_ db: Database, _ json: RowsReadLately.Texts) throws {
        if let holder = try ContainerRow.holder(db, of: name) {
            throw EngineError.nameTaken(name, holder: holder)
        }
        try db.run(
            "INSERT INTO containers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                id.text, name, state.rawValue, imageID, json.settings, json.resolved, createdAtUnixNanos,
                requestKey, isSettled, boot, isLaunched,
            ]
        )
    }

    static func holder(_ db: Database, of name: String) throws -> ContainerID? {
        try db.row("SELECT id FROM containers WHERE name = ?", [name]).flatMap { ContainerID($0["id"]) }
    }

    /// - Throws: `.nameTaken` with the holder's id; `.beingRemoved`.
    static func rename(_ db: Database, _ id: ContainerID, to name: String) throws {
        if let holder = try holder(db, of: name) { throw EngineError.nameTaken(name, holder: holder) }
        try db.execute(
            sql: "UPDATE containers SET name = ? WHERE id = ? AND state = 'created'",
            arguments: [name, id.text]
        )
        guard db.changesCount == 1 else { throw EngineError.beingRemoved(id) }
    }

    static func setSettings(_ db: Database, _ id: ContainerID, _ settings: ContainerSettings) throws {
        try db.execute(
            sql: "UPDATE containers SET settings = ? WHERE id = ?",
            arguments: [try StoredJSON.text(settings), id.text]
        )
    }

    /// Changes the state if it is still `old`; says whether it was.
    static func move(_ db: Database, _ id: ContainerID, from old: State, to new: State) throws -> Bool {
        try db.run(
            "UPDATE containers SET state = ? WHERE id = ? AND state = ?",
            [new.rawValue, id.text, old.rawValue]
        )
        return db.changesCount == 1
    }

    /// Its making has failed: no boot is to bring it back, nor is it the answer to its request.
    static func giveUp(_ db: Database, _ id: ContainerID) throws {
        try db.run("UPDATE containers SET is_launched = 0 WHERE id = ?", [id.text])
        _ = try move(db, id, from: .created, to: .removing)
    }

    /// What others have of it outlives the machine's power.
    static func settle(_ db: Database, _ id: ContainerID) throws {
        try db.run("UPDATE containers SET is_settled = 1 WHERE id = ?", [id.text])
    }

    /// Deletes the row and leaves its tombstone; says whether there was a row.
    func bury(_ db: Database, at wallNanos: Int64) throws -> Bool {
        try db.run("DELETE FROM containers WHERE id = ?", [id.text])
        guard db.changesCount == 1 else { return false }
        try db.run(
            "INSERT OR REPLACE INTO removed VALUES (?, ?, ?, ?, ?)",
            [
                id.text, state == .creating ? nil : name, StoredJSON.text(eventAttributes), wallNanos,
                requestKey,
            ]
        )
        return true
    }
}

/// A container that was removed, or whose making was undone, lately.
struct Tombstone: Sendable {
    var id: ContainerID
    /// Nil where nobody ever saw it.
    var name: String?
    var attributes: [String: String]

    init?(_ row: Row) throws {
        guard let id = ContainerID(row["id"]) else { return nil }
        self.id = id
        name = row["name"]
        attributes = try StoredJSON.value([String: String].self, of: row["attributes"])
    }

    static func one(_ db: Database, id: ContainerID) throws -> Tombstone? {
        try db.row("SELECT * FROM removed WHERE id = ?", [id.text]).flatMap(Tombstone.init)
    }

    /// The one that a request with this key had made.
    static func one(_ db: Database, requestKey: String) throws -> Tombstone? {
        try db.row("SELECT * FROM removed WHERE request_key = ? AND name IS NOT NULL", [requestKey])
            .flatMap(Tombstone.init)
    }

    /// The latest removed container with this id, name or beginning of an id.
    static func resolve(_ db: Database, _ reference: String) throws -> Tombstone? {
        let end = ContainerID.isPrefix(reference) ? reference + "g" : reference
        return try Row.fetchOne(
            db,
            sql: """
                SELECT * FROM removed WHERE name IS NOT NULL AND (name = ? OR id = ? OR (id >= ? AND id < ?))
                ORDER BY removed_at DESC LIMIT 1
                """,
            arguments: [reference, reference, reference, end]
        ).flatMap(Tombstone.init)
    }

    /// Those of `ids` that have one.
    static func ids(_ db: Database, among ids: Set<String>) throws -> Set<String> {
        try ids.filter { id in
            try Bool.fetchOne(
                db,
                sql: "SELECT EXISTS (SELECT 1 FROM removed WHERE id = ?)",
                arguments: [id]
            ) == true
        }
    }

    static func discard(_ db: Database, before wallNanos: Int64) throws {
        try db.execute(sql: "DELETE FROM removed WHERE removed_at < ?", arguments: [wallNanos])
    }
}
