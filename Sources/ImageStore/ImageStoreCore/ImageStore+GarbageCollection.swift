// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Logging
internal import System

/// What a collection removed.
package struct CollectedGarbage: Sendable {
    package var reclaimedBytes: Int64 = 0
    /// Image ids and layers.
    package var deleted: [String] = []
}

/// Removal of what nothing reaches any more.
///
/// Roots are names, digests by which images were pulled, images loaded without a name, snapshots, and the pins of
/// operations in progress. Each object is forgotten in a transaction that looks at the roots once more, within the
/// object's turn: nobody can be making the same object at that time. See `Pins` for the other half of the argument.
extension ImageStore {
    private static let unreachableBlobs = """
        digest NOT IN (SELECT digest FROM manifest) AND digest NOT IN (SELECT blob FROM manifestBlob)
        """
    private static let unreachableLayers = """
        chain NOT IN (
            WITH RECURSIVE used (chain) AS (
                SELECT chain FROM image WHERE chain IS NOT NULL
                UNION SELECT chain FROM snapshot WHERE chain IS NOT NULL
                UNION SELECT layer.parent FROM layer JOIN used ON layer.chain = used.chain
                    WHERE layer.parent IS NOT NULL
            ) SELECT chain FROM used
        )
        """

    /// Removes what nothing reaches. Any number of them may run at a time, beside everything else.
    @discardableResult
    package func collectGarbage() async throws(ImageStoreError) -> CollectedGarbage {
        var result = CollectedGarbage()
        let pins = pins
        let (images, blobs, layers) = try await catalog.transaction { db in
            let pinned = pins.pinned
            let images = try Self.forgetImages(db, pinned)
            return (
                images,
                try String.fetchAll(db, sql: "SELECT digest FROM blob WHERE \(Self.unreachableBlobs)"),
                try String.fetchAll(db, sql: "SELECT chain FROM layer WHERE \(Self.unreachableLayers)")
            )
        }
        result.deleted = images.map { "sha256:" + $0 }
        if !images.isEmpty { try await writeIndex() }
        faults.reach("image-store.collect.images-forgotten")
        do {
            for hex in layers {
                guard let bytes = try await removeLayer(hex) else { continue }
                result.reclaimedBytes += bytes
                result.deleted.append("sha256:" + hex)
            }
            for hex in blobs { result.reclaimedBytes += try await removeBlob(hex) }
        } catch {
            throw ImageStoreError(error, subject: "garbage collection", path: path)
        }
        return result
    }

    /// Removes the files of what was just forgotten. Without a record they are in nobody's way: what cannot be removed
    /// is left to the next start, and the collection goes on.
    /// - Returns: What that gave back of `size` bytes.
    private func removeFiles(of what: String, size: Int64, _ body: () async throws -> Void) async throws
        -> Int64
    {
        do {
            try await body()
            return size
        } catch let error as SystemError {
            logger.error("\(what) cannot be removed", metadata: ["error": "\(error)"])
            return 0
        }
    }

    private static func forgetImages(_ db: Database, _ pinned: Set<String>) throws -> [String] {
        let candidates = try String.fetchAll(
            db,
            sql: """
                SELECT id FROM image WHERE NOT isUnnamed AND id NOT IN (SELECT image FROM name)
                AND id NOT IN (SELECT image FROM repositoryDigest) AND id NOT IN (SELECT image FROM snapshot)
                """
        )
        let images = candidates.filter { !pinned.contains(PinKey.image($0)) }
        for id in images {
            try db.execute(sql: "DELETE FROM image WHERE id = ?", arguments: [id])
            try Catalog.tell(db, .delete, image: id)
        }
        try db.execute(
            sql: """
                DELETE FROM manifest WHERE digest NOT IN (SELECT manifest FROM image)
                AND digest NOT IN (SELECT manifest FROM name) AND digest NOT IN (SELECT manifest FROM repositoryDigest)
                """
        )
        try db.execute(sql: "DELETE FROM manifestBlob WHERE manifest NOT IN (SELECT digest FROM manifest)")
        return images
    }

    private func removeBlob(_ hex: String) async throws -> Int64 {
        guard !pins.pinned.contains(PinKey.blob(hex)) else { return 0 }
        return try await turns.take("blob " + hex) {
            let pins = pins
            let size = try await catalog.transaction { db -> Int64? in
                guard !pins.pinned.contains(PinKey.blob(hex)) else { return nil }
                let size = try Int64.fetchOne(
                    db,
                    sql: "SELECT sizeBytes FROM blob WHERE digest = ? AND \(Self.unreachableBlobs)",
                    arguments: [hex]
                )
                if size != nil { try db.execute(sql: "DELETE FROM blob WHERE digest = ?", arguments: [hex]) }
                return size
            }
            guard let size else { return 0 }
            faults.reach("image-store.collect.blob-forgotten")
            return try await removeFiles(of: "blob \(hex)", size: size) {
                try Files.removeTree("\(directory.blobs)/\(hex)")
            }
        }
    }

    /// Nil when it is in use after all.
    private func removeLayer(_ hex: String) async throws -> Int64? {
        guard !pins.pinned.contains(PinKey.layer(hex)) else { return nil }
        return try await turns.take("layer " + hex) {
            let pins = pins
            let size = try await catalog.transaction { db -> Int64? in
                guard !pins.pinned.contains(PinKey.layer(hex)) else { return nil }
                let size = try Int64.fetchOne(
                    db,
                    sql: "SELECT contentBytes FROM layer WHERE chain = ? AND \(Self.unreachableLayers)",
                    arguments: [hex]
                )
                if size != nil { try db.execute(sql: "DELETE FROM layer WHERE chain = ?", arguments: [hex]) }
                return size
            }
            guard let size else { return nil }
            faults.reach("image-store.collect.layer-forgotten")
            let directory = directory
            return try await removeFiles(of: "layer \(hex)", size: size) {
                try await BlockingThread.run { _ in
                    try directory.remove(directory.layer(hex), faultPoint: "image-store.collect.layer-moved")
                }
            }
        }
    }
}
