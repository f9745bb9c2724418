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
        let found = try await catalog.transientTransaction { db in
            try Self.find(db, key, imageID: imageID, reference)
        }
        let id = found.id
        if let present = found.present {
            guard present.image == id else {
                throw ImageStoreError.snapshotConflict(key, imageID: "sha256:" + present.image)
            }
            if try exists(present) {
                if present.isProvisional, endurance == .lasting { try await keep(present) }
                return snapshot(present)
            }
            // The machine's end took it and left its record: to its owner it is as if it had never been made.
            try await forget(present.directory)
        }
        let layers = found.layers
        let root =
            layers.lazy.compactMap(\.root).first ?? RootAttributes(permissions: 0o755, user: 0, group: 0)
        let ingest = try directory.ingest("snapshot")
        let name = String(ingest.split(separator: "-").last ?? "")
        do {
            try await makeDirectories(in: ingest, root, name)
            faults.reach("image-store.prepare-snapshot.renamed")
            async let isSynced: Void = endurance == .lasting ? try await syncSnapshots() : ()
            try await record(key, id, name, endurance)
            try await isSynced
        } catch {
            // The row may be there; without it, what the directory had is removed by the next start at the latest.
            try? await forget(name)
            directory.discard(ingest)
            directory.discard(directory.snapshot(name))
            throw error
        }
        faults.reach("image-store.prepare-snapshot.recorded")
        return snapshot(
            SnapshotRow(key: key, image: id, layers: layers, directory: name, endurance: endurance)
        )
    }

    /// - Throws: when that cannot be seen now: only absence is absence.
    private func exists(_ row: SnapshotRow) throws(SystemError) -> Bool {
        do throws(SystemError) { _ = try Files.status(of: directory.snapshot(row.directory)) } catch {
            guard error.code == ErrorNumber.notFound else { throw error }
            return false
        }
        return true
    }

    private func forget(_ name: String) async throws(ImageStoreError) {
        try await catalog.transientTransaction { db in try Catalog.forgetSnapshot(db, name) }
    }

    private struct Found: Sendable {
        let id: String
        let present: SnapshotRow?
        let layers: [LayerRow]
    }

    private static func find(
        _ db: Database,
        _ key: SnapshotKey,
        imageID: String,
        _ reference: String
    ) throws -> Found {
        if let present = try find(db, key) {
            // Of what is there the image need not be any more.
            let id = "sha256:" + present.image == imageID ? present.image : try Catalog.resolve(db, imageID).id
            return Found(id: id, present: present, layers: present.layers)
        }
        if !reference.isEmpty {
            guard let named = try id(db, reference), try named == id(db, imageID) else {
                throw ImageStoreError.imageMoved(reference)
            }
        }
        let id = try Catalog.resolve(db, imageID).id
        return Found(id: id, present: nil, layers: try imageLayers(db, id))
    }

    /// Nil when nothing has the name, or it is not clear what has.
    private static func id(_ db: Database, _ reference: String) throws -> String? {
        do { return try Catalog.resolve(db, reference).id } catch ImageStoreError.imageNotFound {
            return nil
        } catch ImageStoreError.ambiguousID {
            return nil
        }
    }

    private func makeDirectories(
        in ingest: String,
        _ root: RootAttributes,
        _ name: String
    ) async throws {
        let (directory, faults) = (directory, faults)
        try await BlockingThread.run { _ in
            try Files.makeDirectory(ingest + "/snapshot", mode: 0o700)
            try Files.makeDirectory(ingest + "/snapshot/work", mode: 0o700)
            try Files.makeDirectory(ingest + "/snapshot/upper", mode: 0o755)
            let upper = try Files.open(ingest + "/snapshot/upper", [.readOnly, .directory])
            try Files.changeOwner(ofDescriptor: upper.raw, user: root.user, group: root.group)
            try Files.changeMode(ofDescriptor: upper.raw, to: root.permissions)
            faults.reach("image-store.prepare-snapshot.made")
            try Files.rename(ingest + "/snapshot", to: directory.snapshot(name))
            directory.discard(ingest)
        }
    }

    /// Beside the row's commit, for both wait for the same disk: until both are there nobody is told of the snapshot, and
    /// one that is lost in between is removed by its owner, who finds nothing or half of it.
    private func syncSnapshots() async throws {
        let directory = directory
        try await BlockingThread.run { _ in try Files.syncDirectory(directory.snapshots) }
    }

    /// Puts on the disk what was provisional.
    private func keep(_ row: SnapshotRow) async throws {
        async let isSynced: Void = syncSnapshots()
        try await catalog.transaction { db in
            try db.execute(
                sql: "UPDATE snapshot SET isProvisional = 0 WHERE directory = ?",
                arguments: [row.directory]
            )
        }
        try await isSynced
        faults.reach("image-store.prepare-snapshot.kept")
    }

    private func record(_ key: SnapshotKey, _ id: String, _ name: String, _ endurance: SnapshotEndurance)
        async throws
    {
        let boot = endurance == .transient ? try Boot.id() : ""
        let insert: @Sendable (Database) throws -> Void = { db in
            // In this transaction again: the image may have been removed meanwhile.
            let chain = try Self.imageLayers(db, id).first?.chain
            let insertion = try db.cachedStatement(
                sql: """
                    INSERT INTO snapshot (owner, key, image, chain, directory, ownerUser, boot, isProvisional)
                    VALUES (?, ?, ?, ?, ?, 0, ?, ?)
                    """
            )
            try insertion.execute(
                arguments: [key.owner, key.key, id, chain, name, boot, endurance == .provisional]
            )
        }
        if endurance == .lasting {
            try await catalog.transaction(insert)
        } else {
            try await catalog.transientTransaction(insert)
        }
    }

    package func snapshot(_ key: SnapshotKey) async throws(ImageStoreError) -> Snapshot {
        let row = try await catalog.transientTransaction { db in try Self.find(db, key) }
        guard let row else { throw .snapshotNotFound(key) }
        return snapshot(row)
    }

    /// Of one owner, or of all when it is empty.
    package func snapshots(of owner: String) async throws(ImageStoreError) -> [ListedSnapshot] {
        let directory = directory
        return try await catalog.transaction { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM snapshot WHERE owner = ? OR ? = '' ORDER BY owner, key",
                arguments: [owner, owner]
            ).map { row in
                ListedSnapshot(
                    key: SnapshotKey(owner: row["owner"], key: row["key"]),
                    imageID: "sha256:" + (row["image"] as String),
                    upperDirectory: directory.snapshot(row["directory"]) + "/upper",
                    isProvisional: row["isProvisional"]
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

    private struct SnapshotRow: Sendable {
        let key: SnapshotKey
        let image: String
        let layers: [LayerRow]
        let directory: String
        let endurance: SnapshotEndurance

        var isProvisional: Bool { endurance == .provisional }
    }

    private static func find(_ db: Database, _ key: SnapshotKey) throws -> SnapshotRow? {
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
            endurance: row["boot"] != "" ? .transient : row["isProvisional"] ? .provisional : .lasting
        )
    }

    /// An image's layers, uppermost first.
    private static func imageLayers(_ db: Database, _ id: String) throws -> [LayerRow] {
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
