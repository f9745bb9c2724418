// SPDX-License-Identifier: Apache-2.0
internal import FileTrees
internal import Layers
internal import Logging
internal import OCI
internal import Registry
internal import System
internal import Tar

/// One layer that an image needs.
struct LayerPlan: Sendable {
    let blob: ContentDescriptor
    let diffID: Digest
    let chain: ChainID
    let parent: ChainID?

    /// Of an image's layers, lowest first.
    /// - Throws: `.malformed` when manifest and configuration do not agree on their number.
    static func plans(_ layers: [ContentDescriptor], _ diffIDs: [Digest], subject: String)
        throws(ImageStoreError) -> [LayerPlan]
    {
        guard layers.count == diffIDs.count else {
            throw .malformed(
                subject: subject,
                .invalidMember(
                    document: "image configuration",
                    path: "rootfs.diff_ids",
                    "\(diffIDs.count) elements, but the manifest has \(layers.count) layers"
                )
            )
        }
        let chains = ChainID.chain(diffIDs)
        return layers.indices.map {
            LayerPlan(
                blob: layers[$0],
                diffID: diffIDs[$0],
                chain: chains[$0],
                parent: $0 > 0 ? chains[$0 - 1] : nil
            )
        }
    }
}

/// Where a layer's bytes come from.
enum LayerOrigin: Sendable {
    case registry(RegistrySession)
    /// A file in an ingest directory, which becomes the blob.
    case file(String)
}

/// What the layers of one image share while they are installed.
struct LayerInstallation: Sendable {
    /// `pull` or `load`.
    let operation: String
    let budget: UnpackBudget
    let progress: ProgressBoard
}

/// Layers, from where they come to `layers/` and `blobs/`.
extension ImageStore {
    private static let parallelLayers = 3

    /// Makes sure that all layers of an image are there, several at a time. The caller has pinned them.
    func install(
        _ plans: [(LayerPlan, LayerOrigin)],
        operation: String,
        progress: ProgressBoard
    ) async throws {
        let install = LayerInstallation(operation: operation, budget: UnpackBudget(), progress: progress)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, (plan, origin)) in plans.enumerated() {
                if index >= Self.parallelLayers { try await group.next() }
                group.addTask { try await self.install(plan, origin, install) }
            }
            try await group.waitForAll()
        }
    }

    private func install(_ plan: LayerPlan, _ origin: LayerOrigin, _ install: LayerInstallation) async throws
    {
        let id = "\(plan.blob.digest)"
        install.progress.note(id, .waiting, of: plan.blob.sizeBytes)
        let wasThere = try await turns.take("layer " + plan.chain.digest.hex) {
            try await turns.take("blob " + plan.blob.digest.hex) {
                let (hasLayer, hasBlob) = try await catalog.transaction { db in
                    (
                        try Catalog.hasLayer(db, plan.chain.digest.hex),
                        try Catalog.hasBlob(db, plan.blob.digest.hex)
                    )
                }
                if hasLayer, hasBlob { return true }
                if !hasBlob {
                    try await make(plan, origin, unpacks: !hasLayer, keepsBlob: true, install)
                } else if try await !unpackStored(plan, install) {
                    try await make(plan, origin, unpacks: true, keepsBlob: true, install)
                }
                return false
            }
        }
        install.progress.note(
            id,
            wasThere ? .exists : .complete,
            plan.blob.sizeBytes,
            of: plan.blob.sizeBytes
        )
    }

    /// Unpacks a blob that is here.
    /// - Returns: False when it was damaged: then it is forgotten, and has to be got anew.
    private func unpackStored(_ plan: LayerPlan, _ install: LayerInstallation) async throws -> Bool {
        let blob = plan.blob.digest
        do throws(ImageStoreError) {
            try await make(
                plan,
                .file(directory.blob(blob)),
                unpacks: true,
                keepsBlob: false,
                install
            )
            return true
        } catch {
            // What an image says wrongly of a blob is no fault of the blob, which others may use.
            guard error.isDamage, try await !isWhole(blob) else { throw error }
            logger.error("a blob on disk is damaged", metadata: ["blob": "\(blob)", "error": "\(error)"])
        }
        try await catalog.transaction { try Catalog.forget($0, blobs: [blob.hex], layers: []) }
        try Files.removeTree(directory.blob(blob))
        return false
    }

    private func isWhole(_ blob: Digest) async throws -> Bool {
        let path = directory.blob(blob)
        return try await BlockingThread.run { flag in
            guard let file = try? Files.open(path, .readOnly) else { return false }
            let hashing = HashingSource(FileSource(file, shouldStop: { flag.isRaised }))
            do throws(ArchiveError) { try hashing.drain() } catch {
                if case .cancelled = error { throw error }
                return false
            }
            return hashing.digest == blob
        }
    }

    private func make(
        _ plan: LayerPlan,
        _ origin: LayerOrigin,
        unpacks: Bool,
        keepsBlob: Bool,
        _ install: LayerInstallation
    ) async throws(ImageStoreError) {
        let operation = install.operation
        let ingest: String
        do throws(SystemError) { ingest = try directory.ingest(operation) } catch {
            throw ImageStoreError(error, subject: "layer \(plan.blob.digest)", path: directory.path)
        }
        do {
            let job = LayerJob(
                plan: plan,
                ingest: ingest,
                directory: directory,
                unpacks: unpacks,
                keepsBlob: keepsBlob,
                operation: operation,
                budget: install.budget
            )
            let row: LayerRow?
            switch origin {
            case .file(let path): row = try await read(path, job, install.progress)
            case .registry(let session): row = try await download(session, job, install.progress)
            }
            faults.reach("image-store.\(operation).layer-renamed")
            try await catalog.transaction { db in
                try Catalog.insertBlob(db, plan.blob.digest.hex, sizeBytes: plan.blob.sizeBytes)
                if let row { try Catalog.insertLayer(db, row) }
            }
            faults.reach("image-store.\(operation).layer-recorded")
            directory.discard(ingest)
        } catch {
            let failure = ImageStoreError(error, subject: "layer \(plan.blob.digest)", path: directory.path)
            try? await BlockingThread.run { [directory] _ in directory.discard(ingest) }
            throw failure
        }
    }

    private func read(_ path: String, _ job: LayerJob, _ progress: ProgressBoard) async throws -> LayerRow? {
        progress.note("\(job.plan.blob.digest)", .unpacking, of: job.plan.blob.sizeBytes)
        return try await BlockingThread.run { flag in
            let source = FileSource(try Files.open(path, .readOnly), shouldStop: { flag.isRaised })
            return try job.run(source, file: path)
        }
    }

    /// Downloads and unpacks at the same time: a task feeds the conduit, a thread empties it.
    private func download(_ session: RegistrySession, _ job: LayerJob, _ progress: ProgressBoard) async throws
        -> LayerRow?
    {
        let blob = job.plan.blob
        let meter = DownloadMeter(blob, progress, faults)
        return try await BlockingThread.run(
            reading: { source in try job.run(source, file: nil) },
            feed: { conduit in
                try await session.blob(blob) { chunk in
                    try await conduit.send(chunk)
                    meter.count(chunk.count)
                }
            }
        )
    }
}

/// Counts what one download has received, and notes it now and then. Used by one task.
private final class DownloadMeter {
    private let blob: ContentDescriptor
    private let progress: ProgressBoard
    private let faults: FaultPoints
    private var received: Int64 = 0
    private var noted: Int64 = 0

    init(_ blob: ContentDescriptor, _ progress: ProgressBoard, _ faults: FaultPoints) {
        self.blob = blob
        self.progress = progress
        self.faults = faults
    }

    func count(_ bytes: Int) {
        if received == 0 { faults.reach("image-store.pull.downloading") }
        received += Int64(bytes)
        guard received - noted >= 512 << 10 else { return }
        noted = received
        progress.note("\(blob.digest)", .downloading, received, of: blob.sizeBytes)
    }
}
