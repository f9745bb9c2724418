// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import System

/// What the store takes on the disk.
package struct StoreUsage: Sendable {
    package struct Image: Sendable {
        /// `sha256:…`.
        package let imageID: String
        package let sizeBytes: Int64
        /// In layers that other images have too.
        package let sharedBytes: Int64
    }

    package struct Snapshot: Sendable {
        package let key: SnapshotKey
        package let imageID: String
        /// What was written in it, as the disk counts it.
        package let writtenBytes: Int64
        package let layersBytes: Int64
    }

    package var images: [Image] = []
    /// All layers once.
    package var layersBytes: Int64 = 0
    package var blobsBytes: Int64 = 0
    package var snapshots: [Snapshot] = []
}

extension ImageStore {
    /// - Parameter snapshotOwner: Whose snapshots are walked through, which takes time; empty for none.
    /// - Parameter key: Only this one; empty for all.
    package func usage(snapshotOwner: String, key: String) async throws(ImageStoreError) -> StoreUsage {
        var (usage, snapshots) = try await catalog.transaction { db in
            (
                try Self.content(db),
                snapshotOwner.isEmpty ? [] : try Self.snapshots(db, of: snapshotOwner, key: key)
            )
        }
        for snapshot in snapshots {
            let upper = directory.snapshot(snapshot.directory) + "/upper"
            let written: Int64
            do {
                written = try await BlockingThread.run { _ in
                    // One that was removed meanwhile has nothing.
                    Files.exists(upper) ? try Files.allocatedBytes(ofTree: upper) : 0
                }
            } catch {
                throw ImageStoreError(error, subject: "snapshot \(snapshot.key)", path: path)
            }
            usage.snapshots.append(
                StoreUsage.Snapshot(
                    key: snapshot.key,
                    imageID: snapshot.image,
                    writtenBytes: written,
                    layersBytes: snapshot.layersBytes
                )
            )
        }
        return usage
    }

    private static func content(_ db: Database) throws -> StoreUsage {
        var usage = StoreUsage()
        usage.layersBytes = try Int64.fetchOne(db, sql: "SELECT SUM(contentBytes) FROM layer") ?? 0
        usage.blobsBytes = try Int64.fetchOne(db, sql: "SELECT SUM(sizeBytes) FROM blob") ?? 0
        var layers: [String: [LayerRow]] = [:]
        var users: [String: Int] = [:]
        for id in try Catalog.imageIDs(db) {
            let chain = try String.fetchOne(db, sql: "SELECT chain FROM image WHERE id = ?", arguments: [id])
            let rows = try Catalog.layers(db, from: chain) ?? []
            layers[id] = rows
            for row in rows { users[row.chain, default: 0] += 1 }
        }
        usage.images = layers.sorted { $0.key < $1.key }.map { id, rows in
            StoreUsage.Image(
                imageID: "sha256:" + id,
                sizeBytes: rows.reduce(0) { $0 + $1.contentBytes },
                sharedBytes: rows.filter { users[$0.chain, default: 0] > 1 }.reduce(0) {
                    $0 + $1.contentBytes
                }
            )
        }
        return usage
    }

    private struct MeasuredSnapshot: Sendable {
        let key: SnapshotKey
        let image: String
        let directory: String
        let layersBytes: Int64
    }

    private static func snapshots(_ db: Database, of owner: String, key: String) throws -> [MeasuredSnapshot]
    {
        try Row.fetchAll(
            db,
            sql: "SELECT * FROM snapshot WHERE owner = ? AND (? = '' OR key = ?) ORDER BY key",
            arguments: [owner, key, key]
        ).map { row in
            let layers = try Catalog.layers(db, from: row["chain"]) ?? []
            return MeasuredSnapshot(
                key: SnapshotKey(owner: row["owner"], key: row["key"]),
                image: "sha256:" + (row["image"] as String),
                directory: row["directory"],
                layersBytes: layers.reduce(0) { $0 + $1.contentBytes }
            )
        }
    }
}
