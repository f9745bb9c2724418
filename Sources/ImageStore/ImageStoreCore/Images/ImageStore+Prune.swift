// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import OCI
internal import System

/// What pruning took away.
package struct PrunedImages: Sendable {
    package var removed = RemovedImages()
    package var reclaimedBytes: Int64 = 0
}

/// Removal of images that somebody found to be unused.
extension ImageStore {
    /// Removes those of a list that are still there and that no snapshot uses, with all their names.
    ///
    /// What is looked at and what is forgotten is one transaction: an image that got a container, or a tag, in the
    /// meantime stays whole.
    /// - Parameter ids: `sha256:…`.
    /// - Parameter untaggedOnly: An image that has a tag by now stays.
    package func prune(_ ids: [String], untaggedOnly: Bool) async throws(ImageStoreError) -> PrunedImages {
        try await makingRoom { () async throws(ImageStoreError) in
            try await pruneOnce(ids, untaggedOnly: untaggedOnly)
        }
    }

    private func pruneOnce(_ ids: [String], untaggedOnly: Bool) async throws(ImageStoreError) -> PrunedImages
    {
        let pins = pins
        var result = PrunedImages()
        result.removed = try await catalog.transaction { db in
            var removed = RemovedImages()
            for id in ids where id.hasPrefix("sha256:") {
                let hex = String(id.dropFirst(7))
                if pins.pinned.contains(PinKey.image(hex)) { continue }
                try Self.forgetUnused(db, hex, untaggedOnly: untaggedOnly, &removed)
            }
            return removed
        }
        faults.reach("image-store.prune-images.recorded")
        try await writeIndex()
        let garbage = try await collectGarbage()
        result.removed.deleted += garbage.deleted
        result.reclaimedBytes = garbage.reclaimedBytes
        return result
    }

    private static func forgetUnused(
        _ db: Database,
        _ id: String,
        untaggedOnly: Bool,
        _ removed: inout RemovedImages
    ) throws {
        guard let row = try Catalog.image(db, id: id), !untaggedOnly || row.references.isEmpty else { return }
        let isUsed = try Bool.fetchOne(
            db,
            sql: "SELECT EXISTS (SELECT 1 FROM snapshot WHERE image = ?)",
            arguments: [id]
        )
        guard isUsed == false else { return }
        try db.execute(sql: "DELETE FROM name WHERE image = ?", arguments: [id])
        try db.execute(sql: "DELETE FROM repositoryDigest WHERE image = ?", arguments: [id])
        try db.execute(sql: "DELETE FROM image WHERE id = ?", arguments: [id])
        for reference in row.references + row.repositoryDigests {
            let familiar = try Reference(reference).familiar
            try Catalog.tell(db, .untag, image: id, name: familiar)
            removed.untagged.append(familiar)
        }
        try Catalog.tell(db, .delete, image: id)
        removed.deleted.append("sha256:" + id)
    }
}
