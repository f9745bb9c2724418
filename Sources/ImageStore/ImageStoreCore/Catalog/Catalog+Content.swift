// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Layers
internal import OCI

/// A layer's row; digests as 64 hexadecimal digits.
struct LayerRow: Sendable {
    let chain: String
    let parent: String?
    let diff: String
    let contentBytes: Int64
    let root: RootAttributes?
}

/// Blobs and layers.
extension Catalog {
    static func hasBlob(_ db: Database, _ hex: String) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM blob WHERE digest = ?)", arguments: [hex])
            ?? false
    }

    static func insertBlob(_ db: Database, _ hex: String, sizeBytes: Int64) throws {
        try db.execute(
            sql: "INSERT INTO blob (digest, sizeBytes) VALUES (?, ?) ON CONFLICT DO NOTHING",
            arguments: [hex, sizeBytes]
        )
    }

    static func hasLayer(_ db: Database, _ hex: String) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM layer WHERE chain = ?)", arguments: [hex])
            ?? false
    }

    static func insertLayer(_ db: Database, _ layer: LayerRow) throws {
        try db.execute(
            sql: """
                INSERT INTO layer (chain, parent, diff, contentBytes, rootPermissions, rootUser, rootGroup)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                """,
            arguments: [
                layer.chain, layer.parent, layer.diff, layer.contentBytes, layer.root?.permissions,
                layer.root?.user,
                layer.root?.group,
            ]
        )
    }

    /// The layer and all below it, uppermost first; nil when one is missing.
    static func layers(_ db: Database, from chain: String?) throws -> [LayerRow]? {
        var result: [LayerRow] = []
        var next = chain
        while let chain = next {
            guard
                let row = try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT * FROM layer WHERE chain = ?"),
                    arguments: [chain]
                )
            else {
                return nil
            }
            var root: RootAttributes?
            if let permissions = row["rootPermissions"] as UInt32? {
                root = RootAttributes(
                    permissions: permissions,
                    user: row["rootUser"],
                    group: row["rootGroup"]
                )
            }
            result.append(
                LayerRow(
                    chain: chain,
                    parent: row["parent"],
                    diff: row["diff"],
                    contentBytes: row["contentBytes"],
                    root: root
                )
            )
            next = row["parent"]
        }
        return result
    }

    static func forget(_ db: Database, blobs: Set<String>, layers: Set<String>) throws {
        for hex in blobs { try db.execute(sql: "DELETE FROM blob WHERE digest = ?", arguments: [hex]) }
        for hex in layers { try db.execute(sql: "DELETE FROM layer WHERE chain = ?", arguments: [hex]) }
    }

    /// Forgets the transient snapshots of earlier boots.
    static func forgetSnapshots(_ db: Database, ofBootsBut boot: String) throws {
        try db.execute(sql: "DELETE FROM snapshot WHERE boot NOT IN ('', ?)", arguments: [boot])
    }

    /// Those that need not be on the disk, by the names that they have there.
    static func provisionalSnapshots(_ db: Database) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT directory FROM snapshot WHERE isProvisional")
    }

    /// - Parameter name: Of its directory.
    static func makeLasting(_ db: Database, _ name: String) throws {
        try db.cachedStatement(sql: "UPDATE snapshot SET isProvisional = 0 WHERE directory = ?")
            .execute(arguments: [name])
    }

    /// - Parameter name: Of its directory.
    static func forgetSnapshot(_ db: Database, _ name: String) throws {
        try db.execute(sql: "DELETE FROM snapshot WHERE directory = ?", arguments: [name])
    }

    /// Everything that has a record, by the names that it has on disk.
    static func recorded(_ db: Database) throws -> (
        blobs: Set<String>, layers: Set<String>, snapshots: Set<String>
    ) {
        (
            try String.fetchSet(db, sql: "SELECT digest FROM blob"),
            try String.fetchSet(db, sql: "SELECT chain FROM layer"),
            try String.fetchSet(db, sql: "SELECT directory FROM snapshot")
        )
    }
}
