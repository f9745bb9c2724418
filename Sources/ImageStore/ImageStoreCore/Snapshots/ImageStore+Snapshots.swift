// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Layers
internal import OCI
internal import System

/// Writable layers of containers.
extension ImageStore {
    /// Makes a writable layer on an image's layers. With the same key and image it gives what is there already.
    /// - Throws: `.snapshotConflict` when the key is taken with another image; `.imageNotFound`.
    package func prepareSnapshot(_ key: SnapshotKey, imageID: String) async throws(ImageStoreError)
        -> Snapshot
    {
        guard key.isValid else { throw .invalidSnapshotKey(key) }
        do {
            return try await turns.take("snapshot \(key)") { try await prepare(key, imageID: imageID) }
        } catch {
            throw ImageStoreError(error, subject: "snapshot \(key)", path: path)
        }
    }

    private func prepare(_ key: SnapshotKey, imageID: String) async throws -> Snapshot {
        let id = try await catalog.transaction { try Catalog.resolve($0, imageID).id }
        if let present = try await find(key) {
            guard present.imageID == "sha256:" + id else {
                throw ImageStoreError.snapshotConflict(key, imageID: present.imageID)
            }
            return present
        }
        let layers = try await catalog.transaction { db in try Self.imageLayers(db, id) }
        let root =
            layers.lazy.compactMap(\.root).first ?? RootAttributes(permissions: 0o755, user: 0, group: 0)
        let ingest = try directory.ingest("snapshot")
        let name = String(ingest.split(separator: "-").last ?? "")
        let (directory, faults) = (directory, faults)
        do {
            try await BlockingThread.run { _ in
                try Files.makeDirectory(ingest + "/snapshot", mode: 0o700)
                try Files.makeDirectory(ingest + "/snapshot/work", mode: 0o700)
                try Files.makeDirectory(ingest + "/snapshot/upper", mode: 0o755)
                let upper = try Files.open(ingest + "/snapshot/upper", [.readOnly, .directory])
                try Files.changeOwner(ofDescriptor: upper.raw, user: root.user, group: root.group)
                try Files.changeMode(ofDescriptor: upper.raw, to: root.permissions)
                faults.reach("image-store.prepare-snapshot.made")
                try Files.rename(ingest + "/snapshot", to: directory.snapshot(name))
                try Files.syncDirectory(directory.snapshots)
                directory.discard(ingest)
            }
            faults.reach("image-store.prepare-snapshot.renamed")
            try await catalog.transaction { db in
                // In this transaction again: the image may have been removed meanwhile.
                let chain = try Self.imageLayers(db, id).first?.chain
                try db.execute(
                    sql: """
                        INSERT INTO snapshot (owner, key, image, chain, directory, ownerUser) VALUES (?, ?, ?, ?, ?, 0)
                        """,
                    arguments: [key.owner, key.key, id, chain, name]
                )
            }
        } catch {
            directory.discard(ingest)
            directory.discard(directory.snapshot(name))
            throw error
        }
        faults.reach("image-store.prepare-snapshot.recorded")
        return snapshot(key, id, layers, name)
    }

    package func snapshot(_ key: SnapshotKey) async throws(ImageStoreError) -> Snapshot {
        guard let snapshot = try await find(key) else { throw .snapshotNotFound(key) }
        return snapshot
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
                    upperDirectory: directory.snapshot(row["directory"]) + "/upper"
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
                    let name = try String.fetchOne(
                        db,
                        sql: "SELECT directory FROM snapshot WHERE owner = ? AND key = ?",
                        arguments: [key.owner, key.key]
                    )
                    try db.execute(
                        sql: "DELETE FROM snapshot WHERE owner = ? AND key = ?",
                        arguments: [key.owner, key.key]
                    )
                    return name
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
    }

    private func find(_ key: SnapshotKey) async throws(ImageStoreError) -> Snapshot? {
        let row = try await catalog.transaction { db in
            try Row.fetchOne(
                db,
                sql: "SELECT * FROM snapshot WHERE owner = ? AND key = ?",
                arguments: [key.owner, key.key]
            ).map { row in try Self.row(db, row) }
        }
        return row.map { snapshot($0.key, $0.image, $0.layers, $0.directory) }
    }

    private static func row(_ db: Database, _ row: Row) throws -> SnapshotRow {
        let key = SnapshotKey(owner: row["owner"], key: row["key"])
        guard let layers = try Catalog.layers(db, from: row["chain"]) else {
            throw ImageStoreError.corrupt(
                subject: "snapshot \(key)",
                reason: "a layer below it is lost; pull or load its image again"
            )
        }
        return SnapshotRow(key: key, image: row["image"], layers: layers, directory: row["directory"])
    }

    /// An image's layers, uppermost first.
    private static func imageLayers(_ db: Database, _ id: String) throws -> [LayerRow] {
        guard let image = try Catalog.image(db, id: id) else {
            throw ImageStoreError.imageNotFound("sha256:" + id)
        }
        guard let layers = try Catalog.layers(db, from: image.chain) else {
            throw ImageStoreError.corrupt(
                subject: "image sha256:\(id)",
                reason: "a layer of it is lost; pull or load it again"
            )
        }
        return layers
    }

    private func snapshot(_ key: SnapshotKey, _ image: String, _ layers: [LayerRow], _ name: String)
        -> Snapshot
    {
        Snapshot(
            key: key,
            imageID: "sha256:" + image,
            lowerDirectories: layers.isEmpty
                ? [directory.emptyLayer] : layers.map { directory.layer($0.chain) },
            upperDirectory: directory.snapshot(name) + "/upper",
            workDirectory: directory.snapshot(name) + "/work"
        )
    }
}
