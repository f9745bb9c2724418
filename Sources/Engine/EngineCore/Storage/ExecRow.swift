// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// An exec that a user asked for. How it fares is the supervisor's to say.
struct ExecRow: Sendable {
    /// As many as the supervisor remembers.
    private static let toldForEachContainer = 100
    /// More, so that a client that comes back finds its own.
    private static let keptForEachContainer = 1000

    var id: ContainerID
    var container: ContainerID
    var settings: ExecSettings
    var createdAtUnixNanos: Int64

    private func insert(_ db: Database) throws {
        try db.run(
            "INSERT INTO execs VALUES (?, ?, ?, ?)",
            [id.text, container.text, try StoredJSON.text(settings), createdAtUnixNanos]
        )
        try db.run(
            """
            DELETE FROM execs WHERE container = ? AND id <> ? AND created_at <
            (SELECT created_at FROM execs WHERE container = ? ORDER BY created_at DESC LIMIT 1 OFFSET ?)
            """,
            [container.text, id.text, container.text, ExecRow.keptForEachContainer]
        )
    }

    static func one(_ db: Database, id: String, of container: ContainerID) throws -> ExecRow? {
        let sql = "SELECT * FROM execs WHERE id = ? AND container = ?"
        guard let row = try db.row(sql, [id, container.text]),
            let exec = ContainerID(row["id"])
        else { return nil }
        return ExecRow(
            id: exec,
            container: container,
            settings: try StoredJSON.value(ExecSettings.self, of: row["settings"]),
            createdAtUnixNanos: row["created_at"]
        )
    }

    /// - Returns: false when it is there already: its request was made before.
    /// - Throws: `.invalidField` when its id is that of another request.
    func insertOnce(_ db: Database) throws -> Bool {
        let sql = "SELECT container, settings FROM execs WHERE id = ?"
        guard let row = try db.row(sql, [id.text]) else {
            try insert(db)
            return true
        }
        let known = try StoredJSON.value(ExecSettings.self, of: row["settings"])
        guard row["container"] == container.text, known == settings else {
            throw EngineError.invalidField("exec_id", "is another exec's")
        }
        return false
    }

    /// The newest, oldest first.
    static func ids(_ db: Database, of container: ContainerID) throws -> [ContainerID] {
        try String.fetchAll(
            db,
            sql: "SELECT id FROM execs WHERE container = ? ORDER BY created_at DESC LIMIT ?",
            arguments: [container.text, toldForEachContainer]
        ).reversed().compactMap(ContainerID.init)
    }
}
