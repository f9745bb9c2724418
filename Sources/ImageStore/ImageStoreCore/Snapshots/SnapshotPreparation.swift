// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Layers
internal import System

/// A snapshot as the catalogue has it.
struct SnapshotRow: Sendable {
    let key: SnapshotKey
    let image: String
    /// Uppermost first.
    let layers: [LayerRow]
    /// Its name in `snapshots/`.
    let directory: String
    let endurance: SnapshotEndurance

    var isProvisional: Bool { endurance == .provisional }
}

/// The making of a snapshot, in one transaction and on one thread: its directories, which are nobody's before they are
/// recorded, and its record.
struct SnapshotPreparation: Sendable {
    let key: SnapshotKey
    let imageID: String
    /// Not empty: only if it still names the image.
    let reference: String
    let endurance: SnapshotEndurance
    /// Of the directory of a new one.
    let name: String
    let directory: StoreDirectory
    let faults: FaultPoints

    struct Outcome: Sendable {
        let row: SnapshotRow
        let isNew: Bool
    }

    /// - Throws: `.snapshotConflict` when the key is taken with another image; `.imageNotFound`; `.imageMoved`. What lies in
    ///   the directory by then is the caller's to remove.
    func run(_ db: Database) throws -> Outcome {
        if let present = try ImageStore.find(db, key) {
            guard try isOfImage(present, db) else {
                throw ImageStoreError.snapshotConflict(key, imageID: "sha256:" + present.image)
            }
            if try directory.hasSnapshot(present.directory) { return Outcome(row: present, isNew: false) }
            // The machine's end took it and left its record: to its owner it is as if it had never been made.
            try Catalog.forgetSnapshot(db, present.directory)
        }
        let id = try image(db)
        let layers = try ImageStore.imageLayers(db, id)
        try makeDirectories(layers)
        faults.reach("image-store.prepare-snapshot.made")
        try record(db, id, chain: layers.first?.chain)
        // What is to last is provisional until it does.
        let made = endurance == .transient ? SnapshotEndurance.transient : .provisional
        let row = SnapshotRow(key: key, image: id, layers: layers, directory: name, endurance: made)
        return Outcome(row: row, isNew: true)
    }

    /// The image need not be there any more.
    private func isOfImage(_ row: SnapshotRow, _ db: Database) throws -> Bool {
        try "sha256:" + row.image == imageID || row.image == Catalog.resolve(db, imageID).id
    }

    private func image(_ db: Database) throws -> String {
        let id = try Catalog.resolve(db, imageID).id
        guard try reference.isEmpty || named(db) == id else { throw ImageStoreError.imageMoved(reference) }
        return id
    }

    /// Nil when nothing has the name, or it is not clear what has.
    private func named(_ db: Database) throws -> String? {
        do { return try Catalog.resolve(db, reference).id } catch ImageStoreError.imageNotFound {
            return nil
        } catch ImageStoreError.ambiguousID {
            return nil
        }
    }

    private func makeDirectories(_ layers: [LayerRow]) throws(SystemError) {
        let root =
            layers.lazy.compactMap(\.root).first ?? RootAttributes(permissions: 0o755, user: 0, group: 0)
        let path = directory.snapshot(name)
        try Files.makeDirectory(path, mode: 0o700)
        try Files.makeDirectory(path + "/work", mode: 0o700)
        try Files.makeDirectory(path + "/upper", mode: 0o755)
        let upper = try Files.open(path + "/upper", [.readOnly, .directory])
        try Files.changeOwner(ofDescriptor: upper.raw, user: root.user, group: root.group)
        try Files.changeMode(ofDescriptor: upper.raw, to: root.permissions)
    }

    private func record(_ db: Database, _ id: String, chain: String?) throws {
        let boot = endurance == .transient ? try Boot.id() : ""
        let insertion = try db.cachedStatement(
            sql: """
                INSERT INTO snapshot (owner, key, image, chain, directory, ownerUser, boot, isProvisional)
                VALUES (?, ?, ?, ?, ?, 0, ?, ?)
                """
        )
        try insertion.execute(
            arguments: [key.owner, key.key, id, chain, name, boot, endurance != .transient]
        )
    }
}
