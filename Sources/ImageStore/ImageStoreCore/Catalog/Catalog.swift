// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import GRDB
internal import Synchronization
internal import System

/// The store's database: what is complete. Owns `store.db` (SQLite, WAL, synced at every commit but those that nobody
/// was promised anything with).
///
/// All access is serialised, so a transaction sees nothing of another. Content that has no row here does not exist.
struct Catalog: Sendable {
    private let queue: DatabaseQueue
    private let running = Running()
    /// Announced whenever events were committed.
    let eventsChanged: Changes

    /// Opens or makes the database and brings its schema up to date, after a copy of an older one.
    /// - Throws: `.newerCatalog` when a newer release wrote it.
    init(path: String) throws(ImageStoreError) {
        do {
            var configuration = Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(10)
            // A checkpoint waits for the disk: `commit` says when.
            configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA wal_autocheckpoint = 0") }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            let migrator = Self.migrator
            let (isNewer, isOlder, isEmpty) = try queue.read { db in
                (
                    try migrator.hasBeenSuperseded(db),
                    try !migrator.hasCompletedMigrations(db),
                    try !db.tableExists("image")
                )
            }
            guard !isNewer else { throw ImageStoreError.newerCatalog(path: path) }
            if isOlder, !isEmpty {
                _ = try queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
                try queue.backup(to: DatabaseQueue(path: path + ".before-migration"))
            }
            try migrator.migrate(queue)
            // Some hundred transactions that a full disk does not keep from being written.
            _ = try SyncedFile(path + "-wal", filledTo: 4 << 20)
            let changes = Changes()
            queue.add(transactionObserver: EventObserver(changes), extent: .databaseLifetime)
            eventsChanged = changes
        } catch {
            throw ImageStoreError(error, subject: "store.db")
        }
    }

    /// Runs `body` in a transaction; nothing stays of one that throws.
    func transaction<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R)
        async throws(ImageStoreError) -> R
    {
        try await commit(Self.synced, body)
    }

    /// The same, without waiting for the disk: for what is done again should the machine's end undo it.
    func transientTransaction<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R)
        async throws(ImageStoreError) -> R
    {
        try await commit(Self.unsynced, body)
    }

    private static let loggedLimit = 250
    private static let synced = "FULL"
    /// At checkpoints only.
    private static let unsynced = "NORMAL"

    private func commit<R: Sendable>(
        _ synchronous: String,
        _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(ImageStoreError) -> R {
        do {
            let isAlone = running.enter() == 0
            defer { running.leave() }
            // What neither waits for others nor for the disk takes less time than going to another thread.
            let isLong = running.logged > Self.loggedLimit
            if isAlone, !isLong, synchronous == Self.unsynced { return try commitHere(synchronous, body) }
            return try await queue.writeWithoutTransaction { [running] db in
                if running.logged > Self.loggedLimit {
                    running.forgetLogged()
                    // One that fails for want of room is made up for by a later one: the log has what is written.
                    try? db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
                }
                return try commit(db, synchronous, body)
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            throw .diskFull(subject: "the image store's catalogue", path: queue.path)
        } catch {
            throw ImageStoreError(error, subject: "store.db")
        }
    }

    private func commitHere<R>(_ synchronous: String, _ body: (Database) throws -> R) throws -> R {
        try queue.writeWithoutTransaction { db in try commit(db, synchronous, body) }
    }

    private func commit<R>(
        _ db: Database,
        _ synchronous: String,
        _ body: (Database) throws -> R
    ) throws -> R {
        // Each time: a cancelled task could not set it back. The opening chooses NORMAL.
        try db.cachedStatement(sql: "PRAGMA synchronous = \(synchronous)").execute()
        var result: R?
        try db.inTransaction {
            result = try body(db)
            return .commit
        }
        running.noteLogged()
        guard let result else { throw DatabaseError(message: "a transaction came to nothing") }
        return result
    }

    func close() { try? queue.close() }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE blob (digest TEXT PRIMARY KEY, sizeBytes INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE TABLE layer (
                        chain TEXT PRIMARY KEY, parent TEXT, diff TEXT NOT NULL, contentBytes INTEGER NOT NULL,
                        rootPermissions INTEGER, rootUser INTEGER, rootGroup INTEGER
                    ) WITHOUT ROWID;
                    CREATE TABLE image (
                        id TEXT PRIMARY KEY, manifest TEXT NOT NULL, chain TEXT, isUnnamed INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    CREATE TABLE manifest (
                        digest TEXT PRIMARY KEY, image TEXT NOT NULL, mediaType TEXT NOT NULL
                    ) WITHOUT ROWID;
                    CREATE TABLE manifestBlob (
                        manifest TEXT NOT NULL, blob TEXT NOT NULL, PRIMARY KEY (manifest, blob)
                    ) WITHOUT ROWID;
                    CREATE TABLE name (
                        reference TEXT PRIMARY KEY, image TEXT NOT NULL, manifest TEXT NOT NULL
                    ) WITHOUT ROWID;
                    CREATE INDEX nameImage ON name (image);
                    CREATE TABLE repositoryDigest (
                        reference TEXT PRIMARY KEY, repository TEXT NOT NULL, image TEXT NOT NULL, manifest TEXT NOT NULL
                    ) WITHOUT ROWID;
                    CREATE INDEX repositoryDigestImage ON repositoryDigest (image);
                    CREATE TABLE snapshot (
                        owner TEXT NOT NULL, key TEXT NOT NULL, image TEXT NOT NULL, chain TEXT,
                        directory TEXT NOT NULL UNIQUE, ownerUser INTEGER NOT NULL, PRIMARY KEY (owner, key)
                    ) WITHOUT ROWID;
                    CREATE INDEX snapshotImage ON snapshot (image);
                    """
            )
        }
        migrator.registerMigration("2") { db in
            try db.execute(
                sql: """
                    CREATE TABLE event (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT NOT NULL, image TEXT NOT NULL,
                        name TEXT NOT NULL, wallNanos INTEGER NOT NULL
                    );
                    CREATE TABLE journal (id TEXT NOT NULL);
                    INSERT INTO journal VALUES (lower(hex(randomblob(8))));
                    -- Names that look like ids, which are no longer given.
                    DELETE FROM name WHERE reference LIKE 'docker.io/library/sha256:%';
                    """
            )
        }
        migrator.registerMigration("3") { db in
            // The boot that a transient snapshot is of; empty for those that outlive it.
            try db.execute(sql: "ALTER TABLE snapshot ADD COLUMN boot TEXT NOT NULL DEFAULT ''")
        }
        migrator.registerMigration("4") { db in
            try db.execute(
                sql: "ALTER TABLE snapshot ADD COLUMN isProvisional INTEGER NOT NULL DEFAULT 0"
            )
        }
        return migrator
    }
}

/// How many transactions are under way, and how many there were since the log was last written into the file.
private final class Running: Sendable {
    private let count = Atomic(0)
    private let loggedCount = Atomic(0)

    var logged: Int { loggedCount.load(ordering: .relaxed) }

    func noteLogged() { loggedCount.add(1, ordering: .relaxed) }

    func forgetLogged() { loggedCount.store(0, ordering: .relaxed) }

    /// - Returns: How many there were before.
    func enter() -> Int { count.add(1, ordering: .relaxed).oldValue }

    func leave() { count.subtract(1, ordering: .relaxed) }
}
