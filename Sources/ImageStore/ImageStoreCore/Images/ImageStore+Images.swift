// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Layers
internal import Logging
internal import OCI
internal import System

/// Names, and what they lead to.
extension ImageStore {
    /// By reference, `name@digest`, id, or the beginning of an id that fits only one.
    package func image(_ text: String) async throws(ImageStoreError) -> Image {
        let row = try await catalog.transaction { db -> ImageRow in
            let id = try Catalog.resolve(db, text).id
            guard let row = try Catalog.image(db, id: id) else { throw ImageStoreError.imageNotFound(text) }
            return row
        }
        do throws(ImageStoreError) {
            return try image(row)
        } catch {
            guard error.isDamage else { throw error }
        }
        // It may have been removed since.
        guard try await catalog.transaction({ try Catalog.hasImage($0, row.id) }) else {
            throw .imageNotFound(text)
        }
        throw .corrupt(
            subject: "image \(text)",
            reason: "its configuration is lost or damaged; pull or load it again"
        )
    }

    /// All images, newest first; with a pattern only those of which a name fits.
    package func images(matching pattern: String) async throws(ImageStoreError) -> [ListedImage] {
        let rows = try await catalog.transaction { db in
            try Catalog.imageIDs(db).compactMap { try Catalog.image(db, id: $0) }
        }
        let wanted = ReferencePattern(pattern)
        var images: [ListedImage] = []
        for row in rows {
            let image = try await listed(row)
            if let image, pattern.isEmpty || image.references.contains(where: { wanted.matches($0) }) {
                images.append(image)
            }
        }
        return images.sorted { a, b in
            let (first, second) = (a.createdAtUnixNanos, b.createdAtUnixNanos)
            return first == second ? a.id < b.id : first > second
        }
    }

    /// Nil when it was removed meanwhile.
    private func listed(_ row: ImageRow) async throws(ImageStoreError) -> ListedImage? {
        var configuration: ImageConfiguration?
        do throws(ImageStoreError) {
            configuration = try image(row).configuration
        } catch {
            guard error.isDamage else { throw error }
            guard try await catalog.transaction({ try Catalog.hasImage($0, row.id) }) else { return nil }
            logger.error("an image's configuration is lost or damaged", metadata: ["image": "\(row.id)"])
        }
        do throws(OCIError) {
            return ListedImage(
                id: try Digest("sha256:" + row.id),
                references: try Self.familiar(row.references),
                repositoryDigests: try Self.familiar(row.repositoryDigests),
                manifest: try Digest("sha256:" + row.manifest),
                sizeBytes: row.sizeBytes,
                configuration: configuration
            )
        } catch {
            throw ImageStoreError(error, subject: "image \(row.id)", path: path)
        }
    }

    private static func familiar(_ references: [String]) throws(OCIError) -> [String] {
        var result: [String] = []
        for text in references { result.append(try Reference(text).familiar) }
        return result
    }

    package func imageCount() async throws(ImageStoreError) -> Int {
        try await catalog.transaction { try Catalog.imageIDs($0).count }
    }

    /// Gives an image another name, which any other image loses.
    package func tag(_ source: String, as target: String) async throws(ImageStoreError) {
        let reference: Reference
        do throws(OCIError) {
            reference = try Reference(target).withDefaultTag
            if reference.digest != nil {
                throw .invalidReference(target, "a name to give cannot have a digest")
            }
        } catch {
            throw .invalid(error)
        }
        try await catalog.transaction { db in
            let id = try Catalog.resolve(db, source).id
            guard let row = try Catalog.image(db, id: id) else { throw ImageStoreError.imageNotFound(source) }
            try Catalog.setName(db, reference.description, image: id, manifest: row.manifest)
            try Catalog.tell(db, .tag, image: id, name: reference.familiar)
        }
        faults.reach("image-store.tag.recorded")
        try await writeIndex()
    }

    /// Takes a name away, and with the last one the image with what only it used.
    ///
    /// An id takes all names of one repository away; of several repositories only with `force`.
    /// - Throws: `.imageInUse` while snapshots use an image that would go, unless forced; theirs keep their layers.
    package func remove(_ text: String, force: Bool) async throws(ImageStoreError) -> RemovedImages {
        try await makingRoom { () async throws(ImageStoreError) in try await removeOnce(text, force: force) }
    }

    private func removeOnce(_ text: String, force: Bool) async throws(ImageStoreError) -> RemovedImages {
        var result = try await catalog.transaction { db in try Self.forget(db, text, force: force) }
        faults.reach("image-store.remove.recorded")
        try await writeIndex()
        result.deleted += try await collectGarbage().deleted
        return result
    }

    private static func forget(_ db: Database, _ text: String, force: Bool) throws -> RemovedImages {
        let resolved = try Catalog.resolve(db, text)
        guard let row = try Catalog.image(db, id: resolved.id) else {
            throw ImageStoreError.imageNotFound(text)
        }
        let named = (resolved.name ?? resolved.repositoryDigest).map { [$0] }
        var going = named ?? row.references + row.repositoryDigests
        let names = try (row.references + row.repositoryDigests).map { try Reference($0) }
        if named == nil, Set(names.map(\.name)).count > 1, !force {
            throw ImageStoreError.imageHasSeveralNames(text, names.map(\.familiar))
        }
        if let name = resolved.name, let repository = try? Reference(name).name {
            // With the last tag of a repository go the digests by which it was pulled from there.
            let others = names.contains {
                $0.name == repository && $0.digest == nil && $0.description != name
            }
            if !others {
                going += names.filter { $0.name == repository && $0.digest != nil }.map(\.description)
            }
        }
        let isLast = Set(row.references + row.repositoryDigests).subtracting(going).isEmpty
        if isLast {
            let users = try String.fetchAll(
                db,
                sql: "SELECT owner || '/' || key FROM snapshot WHERE image = ? ORDER BY owner, key LIMIT 10",
                arguments: [row.id]
            )
            guard users.isEmpty || force else { throw ImageStoreError.imageInUse(text, by: users) }
        }
        var result = RemovedImages()
        for reference in going {
            try db.execute(sql: "DELETE FROM name WHERE reference = ?", arguments: [reference])
            try db.execute(sql: "DELETE FROM repositoryDigest WHERE reference = ?", arguments: [reference])
            let familiar = try Reference(reference).familiar
            try Catalog.tell(db, .untag, image: row.id, name: familiar)
            result.untagged.append(familiar)
        }
        if isLast {
            try db.execute(sql: "DELETE FROM image WHERE id = ?", arguments: [row.id])
            try Catalog.tell(db, .delete, image: row.id)
            result.deleted.append("sha256:" + row.id)
        }
        return result
    }

    private func image(_ row: ImageRow) throws(ImageStoreError) -> Image {
        do {
            let id = try Digest("sha256:" + row.id)
            let bytes = try Files.contents(of: directory.blob(id), limit: ImageConfiguration.limitBytes)
            try Self.check(Digest(of: bytes), is: id)
            return Image(
                id: id,
                references: try Self.familiar(row.references),
                repositoryDigests: try Self.familiar(row.repositoryDigests),
                manifest: try Digest("sha256:" + row.manifest),
                configurationBytes: bytes,
                configuration: try ImageConfiguration(parsing: bytes),
                sizeBytes: row.sizeBytes,
                layerBytes: row.layerBytes
            )
        } catch {
            throw ImageStoreError(error, subject: "image \(row.id)", path: path)
        }
    }

    /// Brings `index.json` up to the catalogue, so that other tools find the images.
    func writeIndex() async throws(ImageStoreError) {
        do {
            try await turns.take("index") {
                let manifests = try await catalog.transaction { db in try Self.layoutManifests(db) }
                let bytes = Index(manifests: manifests).serialized()
                if let present = try? Files.contents(of: directory.index), present == bytes { return }
                try Files.replace(directory.index, with: bytes, mode: 0o644)
            }
        } catch {
            throw ImageStoreError(error, subject: "index.json", path: path)
        }
    }

    private static func layoutManifests(_ db: Database) throws -> [ContentDescriptor] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT manifest.digest, manifest.mediaType, blob.sizeBytes, name.reference
                FROM image JOIN manifest ON manifest.image = image.id JOIN blob ON blob.digest = manifest.digest
                LEFT JOIN name ON name.manifest = manifest.digest
                WHERE name.reference IS NOT NULL OR manifest.digest = image.manifest
                ORDER BY name.reference, manifest.digest
                """
        )
        return try rows.map { row in
            let reference: String? = row["reference"]
            return ContentDescriptor(
                mediaType: row["mediaType"],
                digest: try Digest("sha256:" + (row["digest"] as String)),
                sizeBytes: row["sizeBytes"],
                annotations: reference.map {
                    ["org.opencontainers.image.ref.name": $0, "io.containerd.image.name": $0]
                } ?? [:]
            )
        }
    }
}
