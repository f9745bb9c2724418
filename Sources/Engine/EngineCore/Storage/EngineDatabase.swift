// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Suite
internal import System

/// `ROOT/engine/engine.db`: the only place where the engine's own state is. What runs is asked of the supervisor.
///
/// A transaction outlives the process when it returns, and the machine's power where `durably` asks for it: what a user
/// was promised; and before a step elsewhere is synced, `sync` sees to the row that announces it.
struct EngineDatabase: Sendable {
    private let pool: DatabasePool
    private let log: SyncedFile
    private let reserve: DiskReserve
    private let lately = RowsReadLately()
    /// Transactions that wait for the disk, or are about to.
    private let durable = Counter()
    /// Transactions since the log was last written into the file.
    private let logged = Counter()
    private static let loggedLimit = 250

    /// Opens or makes the file and brings it to the present schema, after a copy beside it.
    /// - Throws: `.newerSchema` when a later release wrote it; `.database` when it cannot be read. It is never replaced:
    ///   without it the engine would take every container for a stranger's.
    init(path: String, reserve: DiskReserve) throws(EngineError) {
        self.reserve = reserve
        do {
            var configuration = Configuration()
            configuration.maximumReaderCount = 4
            configuration.busyMode = .timeout(10)
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA foreign_keys = ON")
                // A checkpoint waits for the disk: `commit` says when.
                try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            }
            pool = try DatabasePool(path: path, configuration: configuration)
            try EngineDatabase.migrate(pool, path: path)
            // Some hundred transactions that a full disk does not keep from being written.
            log = try SyncedFile(path + "-wal", filledTo: 4 << 20)
        } catch let error as EngineError {
            throw error
        } catch {
            throw .database("open \(path): \(error)")
        }
    }

    /// On the caller's thread: it takes less time than going to another one.
    func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try readHere(body) } catch let error as DatabaseError { throw EngineError(error) }
    }

    /// The same for what few rows answer, in less time: by the writer's connection, which has seen what it wrote.
    func look<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
        // It is busy, or about to be.
        guard !durable.isAnything else { return try await read(body) }
        do { return try lookHere(body) } catch let error as DatabaseError { throw EngineError(error) }
    }

    private func lookHere<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try pool.writeWithoutTransaction(body)
    }

    private func readHere<Value>(_ body: (Database) throws -> Value) throws -> Value { try pool.read(body) }

    /// All containers, newest first.
    func containers() async throws -> [ContainerRow] {
        try await read { [lately] db in try lately.all(db) }
    }

    /// The visible container of this name, id, or unambiguous beginning of an id.
    /// - Throws: `.containerNotFound`, `.ambiguousPrefix`.
    func container(_ reference: String) async throws -> ContainerRow {
        try await read { [lately] db in try ContainerRow.resolve(db, reference, lately.one) }
    }

    /// Makes a row, within a transaction.
    /// - Throws: `.nameTaken` with the holder's id.
    func insert(_ row: ContainerRow, _ db: Database) throws {
        let texts = try RowsReadLately.Texts(of: row)
        try row.insert(db, texts)
        lately.note(row, texts)
    }

    /// - Parameters:
    ///   - durably: It, and everything that was written before, is on disk afterwards.
    ///   - purpose: What the reserve is drawn on for when the disk is full; nil: for this it is not.
    func write<Value: Sendable>(
        durably: Bool = false,
        for purpose: DiskReserve.Purpose? = .record,
        _ body: @Sendable @escaping (Database) throws -> Value
    ) async throws -> Value {
        var pieces = purpose.map(reserve.pieces)
        while true {
            do { return try await commit(durably, body) } catch let error as DatabaseError {
                guard error.resultCode == .SQLITE_FULL, pieces?.giveNext() == true else {
                    throw EngineError(error)
                }
            }
        }
    }

    /// Waits until the disk has what was committed before. Blocks; others may write meanwhile.
    func sync() throws(EngineError) {
        do throws(SystemError) { try log.sync() } catch { throw .database("sync: \(error)") }
    }

    private func commit<Value: Sendable>(
        _ durably: Bool,
        _ body: @Sendable @escaping (Database) throws -> Value
    ) async throws -> Value {
        // What waits for the disk goes to another thread, and so does what would wait for that; nothing else is worth it.
        guard durably || durable.isAnything || logged.count > Self.loggedLimit else {
            return try commitHere(body)
        }
        durable.enter()
        defer { durable.leave() }
        return try await pool.writeWithoutTransaction { [logged] db in
            // Before the transaction, whose beginning of a new log it also waits for.
            if logged.count > Self.loggedLimit {
                logged.reset()
                try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
            }
            return try commit(db, durably, body)
        }
    }

    private func commitHere<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try pool.writeWithoutTransaction { db in try commit(db, false, body) }
    }

    private func commit<Value>(
        _ db: Database,
        _ durably: Bool,
        _ body: (Database) throws -> Value
    ) throws -> Value {
        // NORMAL syncs at checkpoints only; FULL the log at this commit. Each time, as a cancelled task could not set
        // it back.
        try db.run("PRAGMA synchronous = \(durably ? "FULL" : "NORMAL")")
        var value: Value?
        try db.inTransaction {
            value = try body(db)
            return .commit
        }
        logged.enter()
        guard let value else { throw EngineError.database("a transaction came to nothing") }
        return value
    }

    func close() throws { try pool.close() }

    private static func migrate(_ pool: DatabasePool, path: String) throws {
        let found = try pool.read { db in try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 }
        let known = Schema.steps.count
        guard found <= known else { throw EngineError.newerSchema(found: found, known: known) }
        guard found < known else { return }
        if found > 0 {
            let copy = "\(path).schema-\(found)"
            if Files.exists(copy) { try Files.unlink(copy) }
            try pool.writeWithoutTransaction { db in try db.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
        }
        try pool.write { db in
            for step in Schema.steps[found...] { try db.execute(sql: step) }
            try db.execute(sql: "PRAGMA user_version = \(known)")
        }
    }
}

extension EngineError {
    init(_ error: DatabaseError) {
        self = error.resultCode == .SQLITE_FULL ? .diskFull("\(error)") : .database("\(error)")
    }
}

/// The schema, as the steps that lead to it; step n makes version n + 1. Steps are added, never changed.
enum Schema {
    static let steps = [
        """
        CREATE TABLE containers (
            id TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL UNIQUE,
            -- creating, created, removing
            state TEXT NOT NULL,
            image_id TEXT NOT NULL,
            settings TEXT NOT NULL,
            resolved TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX containers_by_image ON containers (image_id);
        CREATE TABLE execs (
            id TEXT PRIMARY KEY NOT NULL,
            container TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
            settings TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX execs_by_container ON execs (container, created_at);
        -- What was removed or undone lately. The name is NULL where nobody ever saw the container.
        CREATE TABLE removed (
            id TEXT PRIMARY KEY NOT NULL,
            name TEXT,
            attributes TEXT NOT NULL,
            removed_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            type TEXT NOT NULL,
            action TEXT NOT NULL,
            actor TEXT NOT NULL,
            attributes TEXT NOT NULL,
            wall_nanos INTEGER NOT NULL,
            -- Where the event came from; NULL for the engine's own.
            journal TEXT,
            journal_sequence INTEGER,
            UNIQUE (journal, journal_sequence)
        ) STRICT;
        CREATE INDEX events_by_time ON events (wall_nanos);
        -- How far the supervisor's journal has been read; one row.
        CREATE TABLE journal_position (
            only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
            journal TEXT NOT NULL,
            sequence INTEGER NOT NULL
        ) STRICT;
        INSERT INTO journal_position VALUES (1, '', 0);
        """,
        """
        ALTER TABLE containers ADD COLUMN request_key TEXT;
        CREATE UNIQUE INDEX containers_by_request ON containers (request_key);
        """,
        """
        -- How far the image store's events have been read; one row.
        CREATE TABLE image_journal_position (
            only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
            journal TEXT NOT NULL,
            sequence INTEGER NOT NULL
        ) STRICT;
        INSERT INTO image_journal_position VALUES (1, '', 0);
        """,
        """
        -- Nothing but a number that earlier releases refuse: they do not know the state removing-unless-running.
        """,
        """
        -- A request that is repeated when its container has been and gone is answered with it.
        ALTER TABLE removed ADD COLUMN request_key TEXT;
        CREATE INDEX removed_by_request ON removed (request_key) WHERE request_key IS NOT NULL;
        """,
        """
        -- 0 while its creation has not come to its end, though the journal may have made it visible.
        ALTER TABLE containers ADD COLUMN is_settled INTEGER NOT NULL DEFAULT 1;
        """,
        """
        -- The machine's boot in which it was made, and whether its making includes a start.
        ALTER TABLE containers ADD COLUMN boot TEXT NOT NULL DEFAULT '';
        ALTER TABLE containers ADD COLUMN is_launched INTEGER NOT NULL DEFAULT 0;
        """,
    ]
}
