// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Layers
internal import OCI
internal import System

/// Writable layers of containers.
extension ImageStore {
    /// Makes a writable layer on an image's layers. With the same key and image it gives what is there already, and a
    /// provisional one lasts from then on if that is asked for.
    /// - Parameter reference: Not empty: only if it still names the image.
    /// - Throws: `.snapshotConflict` when the key is taken with another image; `.imageNotFound`; `.imageMoved`.
    package func prepareSnapshot(
        _ key: SnapshotKey,
        imageID: String,
        reference: String = "",
        _ endurance: SnapshotEndurance = .lasting
    ) async throws(ImageStoreError) -> Snapshot {
        guard key.isValid else { throw .invalidSnapshotKey(key) }
        do {
            return try await turns.take("snapshot \(key)") {
                try await prepare(key, imageID: imageID, reference, endurance)
            }
        } catch {
            throw ImageStoreError(error, subject: "snapshot \(key)", path: path)
        }
    }

    private func prepare(
        _ key: SnapshotKey,
        imageID: String,
        _ reference: String,
        _ endurance: SnapshotEndurance
    ) async throws -> Snapshot {
        let preparation = SnapshotPreparation(
            key: key,
            imageID: imageID,
            reference: reference,
            endurance: endurance,
            name: try SystemEnvironment.randomHexadecimal(bytes: 8),
            directory: directory,
            faults: faults
        )
        do {
            let outcome = try await catalog.transientTransaction { db in try preparation.run(db) }
            if outcome.isNew { faults.reach("image-store.prepare-snapshot.recorded") }
            if outcome.row.isProvisional, endurance == .lasting { try await keep(outcome.row) }
            return snapshot(outcome.row)
        } catch {
            // The row may be there; without it, what the directory had is removed by the next start at the latest.
            try? await catalog.transientTransaction { db in try Catalog.forgetSnapshot(db, preparation.name) }
            directory.discard(directory.snapshot(preparation.name))
            throw error
        }
    }

    /// A provisional snapshot lasts from now on; nothing is done to another.
    /// - Throws: `.snapshotNotFound`.
    package func keepSnapshot(_ key: SnapshotKey) async throws(ImageStoreError) -> Snapshot {
        do {
            return try await turns.take("snapshot \(key)") {
                let row = try await presentRow(key)
                if row.isProvisional { try await keep(row) }
                return snapshot(row)
            }
        } catch {
            throw ImageStoreError(error, subject: "snapshot \(key)", path: path)
        }
    }

    /// Puts on the disk what was provisional.
    private func keep(_ row: SnapshotRow) async throws {
        let directory = directory
        // Beside the row's commit, for both wait for the same disk.
        async let isSynced: Void = BlockingThread.run { _ in try directory.syncSnapshot(row.directory) }
        try await catalog.transaction { db in try Catalog.makeLasting(db, row.directory) }
        try await isSynced
        faults.reach("image-store.prepare-snapshot.kept")
    }

    package func snapshot(_ key: SnapshotKey) async throws(ImageStoreError) -> Snapshot {
        snapshot(try await presentRow(key))
    }

    private func presentRow(_ key: SnapshotKey) async throws(ImageStoreError) -> SnapshotRow {
        guard let row = try await catalog.transientTransaction({ db in try Self.find(db, key) }) else {
            throw .snapshotNotFound(key)
        }
        let isThere: Bool
        do throws(SystemError) { isThere = try directory.hasSnapshot(row.directory) } catch {
            throw ImageStoreError(error, subject: "snapshot \(key)", path: path)
        }
        guard isThere else { throw .snapshotNotFound(key) }
        return row
    }

    /// Of one owner, or of all when it is empty.
    package func snapshots(of owner: String) async throws(ImageStoreError) -> [ListedSnapshot] {
        let directory = directory
        return try await catalog.transientTransaction { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM snapshot WHERE owner = ? OR ? = '' ORDER BY owner, key",
                arguments: [owner, owner]
            ).map { row in
                ListedSnapshot(
                    key: SnapshotKey(owner: row["owner"], key: row["key"]),
                    imageID: "sha256:" + (row["image"] as String),
                    upperDirectory: directory.snapshot(row["directory"]) + "/upper",
                    endurance: Self.endurance(row)
                )
            }
        }
    }

    /// Forgets a snapshot and removes what was written in it; an absent one is no error.
    package func removeSnapshot(_ key: SnapshotKey) async throws(ImageStoreError) {
        try await makingRoom { () async throws(ImageStoreError) in try await removeOnce(key) }
    }

    private func removeOnce(_ key: SnapshotKey) async throws(ImageStoreError) {
        do {
            try await turns.take("snapshot \(key)") {
                // Its owner removes it again should the machine's end bring it back.
                let name = try await catalog.transientTransaction { db -> String? in
                    try String.fetchAll(
                        db.cachedStatement(
                            sql: "DELETE FROM snapshot WHERE owner = ? AND key = ? RETURNING directory"
                        ),
                        arguments: [key.owner, key.key]
                    ).first
                }
                guard let name else { return }
                faults.reach("image-store.remove-snapshot.recorded")
                let directory = directory
                try await BlockingThread.run { _ in
                    try directory.remove(
                        directory.snapshot(name),
                        faultPoint: "image-store.remove-snapshot.moved"
                    )
                }
            }
        } catch {
            throw ImageStoreError(error, subject: "snapshot \(key)", path: path)
        }
    }

    static func find(_ db: Database, _ key: SnapshotKey) throws -> SnapshotRow? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM snapshot WHERE owner = ? AND key = ?"),
            arguments: [key.owner, key.key]
        ).map { row in try Self.row(db, row) }
    }

    private static func row(_ db: Database, _ row: Row) throws -> SnapshotRow {
        let key = SnapshotKey(owner: row["owner"], key: row["key"])
        guard let layers = try Catalog.layers(db, from: row["chain"]) else {
            throw ImageStoreError.corrupt(
                subject: "snapshot \(key)",
                reason: "a layer below it is lost; pull or load its image again"
            )
        }
        return SnapshotRow(
            key: key,
            image: row["image"],
            layers: layers,
            directory: row["directory"],
            endurance: endurance(row)
        )
    }

    private static func endurance(_ row: Row) -> SnapshotEndurance {
        row["boot"] != "" ? .transient : row["isProvisional"] ? .provisional : .lasting
    }

    /// An image's layers, uppermost first.
    static func imageLayers(_ db: Database, _ id: String) throws -> [LayerRow] {
        let image = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT chain FROM image WHERE id = ?"),
            arguments: [id]
        )
        guard let image else { throw ImageStoreError.imageNotFound("sha256:" + id) }
        guard let layers = try Catalog.layers(db, from: image["chain"]) else {
            throw ImageStoreError.corrupt(
                subject: "image sha256:\(id)",
                reason: "a layer of it is lost; pull or load it again"
            )
        }
        return layers
    }

    private func snapshot(_ row: SnapshotRow) -> Snapshot {
        Snapshot(
            key: row.key,
            imageID: "sha256:" + row.image,
            lowerDirectories: row.layers.isEmpty
                ? [directory.emptyLayer] : row.layers.map { directory.layer($0.chain) },
            upperDirectory: directory.snapshot(row.directory) + "/upper",
            workDirectory: directory.snapshot(row.directory) + "/work",
            isTransient: row.endurance == .transient
        )
    }
}
