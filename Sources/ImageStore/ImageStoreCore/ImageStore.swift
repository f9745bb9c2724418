// SPDX-License-Identifier: Apache-2.0
package import Logging
package import Registry
package import Suite
package import System

/// Content by digest, image names, layers and snapshots. Owns one directory and its catalogue.
///
/// Any number of operations run side by side. Each is recorded in one transaction when it is complete; until then
/// nothing of it is visible, and what a killed process leaves is removed by the next `init`.
package final class ImageStore: Sendable {
    let directory: StoreDirectory
    let catalog: Catalog
    let turns = Turns()
    let pins = Pins()
    let registry: RegistryClient
    let faults: FaultPoints
    let logger: Logger
    private let reserve: DiskReserve?

    /// Opens or makes the store in `path` and undoes what a killed process left there. The caller holds the lock that
    /// keeps other processes away.
    /// - Parameter reserve: Is drawn on when the disk is full and something is to be removed.
    package init(
        path: String,
        registry: RegistryClient,
        faults: FaultPoints,
        logger: Logger,
        reserve: DiskReserve? = nil
    ) async throws(ImageStoreError) {
        self.registry = registry
        self.faults = faults
        self.logger = logger
        self.reserve = reserve
        Threads.setFileCreationMask(0o022)
        do throws(SystemError) {
            directory = try StoreDirectory(path: path, faults: faults)
        } catch {
            throw ImageStoreError(error, subject: "the image store", path: path)
        }
        catalog = try Catalog(path: directory.database)
        try await recover()
    }

    /// Closes the catalogue; nothing may be under way.
    package func close() {
        catalog.close()
    }

    /// `ROOT/image-store`.
    package var path: String { directory.path }

    /// Runs what makes room, again while a full disk keeps it from doing so and the reserve has something to give.
    func makingRoom<R: Sendable>(_ body: () async throws(ImageStoreError) -> R) async throws(ImageStoreError)
        -> R
    {
        var pieces = reserve?.pieces(for: .removal)
        while true {
            do throws(ImageStoreError) {
                return try await body()
            } catch {
                guard case .diskFull = error, pieces?.giveNext() == true else { throw error }
            }
        }
    }

    private func recover() async throws(ImageStoreError) {
        let boot: String
        do throws(SystemError) { boot = try Boot.id() } catch {
            throw ImageStoreError(error, subject: "the image store", path: directory.path)
        }
        let recorded = try await catalog.transaction { db in
            try Catalog.forgetSnapshots(db, ofBootsBut: boot)
            return try Catalog.recorded(db)
        }
        let (directory, faults) = (directory, faults)
        let sweep: StoreDirectory.Sweep
        do {
            sweep = try await BlockingThread.run { _ in
                faults.reach("image-store.recover.begun")
                // A store that was killed may have recorded that one lasts before it had done this.
                try Files.syncDirectory(directory.snapshots)
                return try directory.removeUnrecorded(
                    blobs: recorded.blobs,
                    layers: recorded.layers,
                    snapshots: recorded.snapshots
                )
            }
        } catch {
            throw ImageStoreError(error, subject: "the image store", path: directory.path)
        }
        for path in sweep.removed {
            logger.notice("removed what an earlier process left", metadata: ["path": "\(path)"])
        }
        for (path, error) in sweep.left {
            logger.error(
                "what an earlier process left cannot be removed",
                metadata: ["path": "\(path)", "error": "\(error)"]
            )
        }
        try await forgetLost(recorded.blobs, recorded.layers)
        try await forgetLostSnapshots()
        try await collectGarbage()
        try await writeIndex()
    }

    /// The machine's end took them before they lasted. To their owner they have never been, which it can only tell from others
    /// while no new one has their key.
    private func forgetLostSnapshots() async throws(ImageStoreError) {
        let directory = directory
        try await catalog.transaction { db in
            for name in try Catalog.provisionalSnapshots(db) where try !directory.hasSnapshot(name) {
                try Catalog.forgetSnapshot(db, name)
            }
        }
    }

    /// Somebody else deleted content: a record without it would make a pull believe that it is there.
    private func forgetLost(_ blobs: Set<String>, _ layers: Set<String>) async throws(ImageStoreError) {
        let lostBlobs = blobs.filter { !Files.exists("\(directory.blobs)/\($0)") }
        let lostLayers = layers.filter { !Files.exists(directory.layer($0)) }
        guard !lostBlobs.isEmpty || !lostLayers.isEmpty else { return }
        for hex in lostBlobs {
            logger.error("a blob is lost; pull or load its image again", metadata: ["blob": "\(hex)"])
        }
        for hex in lostLayers {
            logger.error("a layer is lost; pull or load its image again", metadata: ["layer": "\(hex)"])
        }
        try await catalog.transaction { try Catalog.forget($0, blobs: lostBlobs, layers: lostLayers) }
    }
}
