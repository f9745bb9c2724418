// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import OCI

/// What is recorded when an image is complete, all in one transaction.
struct ImageRecord: Sendable {
    let id: Digest
    let manifest: Digest
    let mediaType: String
    /// Of the manifest itself, the configuration and the layers.
    let blobs: [Digest]
    let chain: ChainID?
    /// The names that it gets.
    let names: [Reference]
    /// `name@digest` as pulled.
    let repositoryDigest: Reference?
    let event: ImageEvent.Action
    /// What it is told by: the reference that was asked for; nil for the id.
    let eventName: String?
}

/// An image's row with what refers to it.
struct ImageRow: Sendable {
    let id: String
    let manifest: String
    let chain: String?
    let references: [String]
    let repositoryDigests: [String]
    let sizeBytes: Int64
    /// Of each layer, lowest first.
    let layerBytes: [Int64]
    let diffIDs: [String]
}

/// Images and their names.
extension Catalog {
    /// - Returns: Whether everything was recorded just so before.
    static func record(_ db: Database, _ image: ImageRecord) throws -> Bool {
        let before = db.totalChangesCount
        try db.execute(
            sql: """
                INSERT INTO image (id, manifest, chain, isUnnamed) VALUES (?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest, isUnnamed = isUnnamed & excluded.isUnnamed
                WHERE manifest != excluded.manifest OR isUnnamed & excluded.isUnnamed != isUnnamed
                """,
            arguments: [
                image.id.hex, image.manifest.hex, image.chain?.digest.hex,
                image.names.isEmpty && image.repositoryDigest == nil,
            ]
        )
        try db.execute(
            sql: "INSERT INTO manifest (digest, image, mediaType) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            arguments: [image.manifest.hex, image.id.hex, image.mediaType]
        )
        for blob in Set(image.blobs) {
            try db.execute(
                sql: "INSERT INTO manifestBlob (manifest, blob) VALUES (?, ?) ON CONFLICT DO NOTHING",
                arguments: [image.manifest.hex, blob.hex]
            )
        }
        for name in image.names {
            try setName(db, name.description, image: image.id.hex, manifest: image.manifest.hex)
        }
        if let reference = image.repositoryDigest {
            try db.execute(
                sql: """
                    INSERT INTO repositoryDigest (reference, repository, image, manifest) VALUES (?, ?, ?, ?)
                    ON CONFLICT (reference) DO UPDATE SET image = excluded.image, manifest = excluded.manifest
                    WHERE image != excluded.image OR manifest != excluded.manifest
                    """,
                arguments: [reference.description, reference.name, image.id.hex, image.manifest.hex]
            )
        }
        let isUnchanged = db.totalChangesCount == before
        try tell(db, image.event, image: image.id.hex, name: image.eventName)
        return isUnchanged
    }

    static func setName(_ db: Database, _ reference: String, image: String, manifest: String) throws {
        try db.execute(
            sql: """
                INSERT INTO name (reference, image, manifest) VALUES (?, ?, ?)
                ON CONFLICT (reference) DO UPDATE SET image = excluded.image, manifest = excluded.manifest
                WHERE image != excluded.image OR manifest != excluded.manifest
                """,
            arguments: [reference, image, manifest]
        )
        try db.execute(sql: "UPDATE image SET isUnnamed = 0 WHERE id = ? AND isUnnamed", arguments: [image])
    }

    static func image(_ db: Database, id: String) throws -> ImageRow? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM image WHERE id = ?", arguments: [id]) else {
            return nil
        }
        let chain: String? = row["chain"]
        let layers = try layers(db, from: chain) ?? []
        return ImageRow(
            id: id,
            manifest: row["manifest"],
            chain: chain,
            references: try String.fetchAll(
                db,
                sql: "SELECT reference FROM name WHERE image = ? ORDER BY reference",
                arguments: [id]
            ),
            repositoryDigests: try String.fetchAll(
                db,
                sql: "SELECT reference FROM repositoryDigest WHERE image = ? ORDER BY reference",
                arguments: [id]
            ),
            sizeBytes: layers.reduce(0) { $0 + $1.contentBytes },
            layerBytes: layers.reversed().map(\.contentBytes),
            diffIDs: layers.reversed().map(\.diff)
        )
    }

    static func hasImage(_ db: Database, _ id: String) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM image WHERE id = ?)", arguments: [id])
            ?? false
    }

    static func imageIDs(_ db: Database) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT id FROM image ORDER BY id")
    }

    /// What `text` names: a whole id, which no name can look like; else a name or `name@digest`; else the beginning of
    /// an id.
    static func resolve(_ db: Database, _ text: String) throws -> ResolvedImage {
        let hex = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        if Reference.isImageID(hex) {
            let id = try String.fetchOne(
                db.cachedStatement(sql: "SELECT id FROM image WHERE id = ?"),
                arguments: [String(hex)]
            )
            guard let id else { throw ImageStoreError.imageNotFound(text) }
            return ResolvedImage(id: id, name: nil, repositoryDigest: nil)
        }
        if let reference = try? Reference(text) {
            if let digest = reference.digest {
                let whole = reference.withDigest(digest).description
                if let id = try String.fetchOne(
                    db,
                    sql: "SELECT image FROM repositoryDigest WHERE reference = ?",
                    arguments: [whole]
                ) {
                    return ResolvedImage(id: id, name: nil, repositoryDigest: whole)
                }
            } else {
                let whole = reference.withDefaultTag.description
                if let id = try String.fetchOne(
                    db.cachedStatement(sql: "SELECT image FROM name WHERE reference = ?"),
                    arguments: [whole]
                ) {
                    return ResolvedImage(id: id, name: whole, repositoryDigest: nil)
                }
            }
        }
        let isPrefix = (1...64).contains(hex.utf8.count) && hex.utf8.allSatisfy { isHexDigit($0) }
        guard isPrefix else { throw ImageStoreError.imageNotFound(text) }
        let ids = try String.fetchAll(
            db,
            sql: "SELECT id FROM image WHERE id >= ? AND id < ? ORDER BY id LIMIT 11",
            arguments: [String(hex), String(hex) + "g"]
        )
        guard let id = ids.first else { throw ImageStoreError.imageNotFound(text) }
        guard ids.count == 1 else {
            let candidates = try ids.prefix(10).map { try candidate(db, $0) }
            throw ImageStoreError.ambiguousID(text, candidates: candidates)
        }
        return ResolvedImage(id: id, name: nil, repositoryDigest: nil)
    }

    /// `0123456789ab (busybox:latest)`.
    private static func candidate(_ db: Database, _ id: String) throws -> String {
        let name = try String.fetchOne(
            db,
            sql: "SELECT reference FROM name WHERE image = ? ORDER BY reference LIMIT 1",
            arguments: [id]
        )
        let familiar = name.flatMap { try? Reference($0).familiar }
        return String(id.prefix(12)) + (familiar.map { " (\($0))" } ?? "")
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}

/// What a user's text turned out to name.
struct ResolvedImage: Sendable {
    let id: String
    /// The whole name, when it was one.
    let name: String?
    /// `name@digest`, when it was one.
    let repositoryDigest: String?
}
