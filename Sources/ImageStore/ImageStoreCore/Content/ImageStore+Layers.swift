// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import OCI
internal import Registry
internal import System

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

/// Layers, from where they come to `layers/` and `blobs/`.
extension ImageStore {
    private static let parallelLayers = 3

    /// Makes sure that all layers are there, several at a time. The caller has pinned them.
    func install(
        _ plans: [(LayerPlan, LayerOrigin)],
        operation: String,
        progress: ProgressBoard
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, (plan, origin)) in plans.enumerated() {
                if index >= Self.parallelLayers { try await group.next() }
                group.addTask { try await self.install(plan, origin, operation, progress) }
            }
            try await group.waitForAll()
        }
    }

    private func install(
        _ plan: LayerPlan,
        _ origin: LayerOrigin,
        _ operation: String,
        _ progress: ProgressBoard
    ) async throws {
        let id = "\(plan.blob.digest)"
        progress.note(id, .waiting, of: plan.blob.sizeBytes)
        let wasThere = try await turns.take("layer " + plan.chain.digest.hex) {
            try await turns.take("blob " + plan.blob.digest.hex) {
                let (hasLayer, hasBlob) = try await catalog.transaction { db in
                    (
                        try Catalog.hasLayer(db, plan.chain.digest.hex),
                        try Catalog.hasBlob(db, plan.blob.digest.hex)
                    )
                }
                if hasLayer, hasBlob { return true }
                try await make(plan, origin, hasLayer: hasLayer, hasBlob: hasBlob, operation, progress)
                return false
            }
        }
        progress.note(id, wasThere ? .exists : .complete, plan.blob.sizeBytes, of: plan.blob.sizeBytes)
    }

    private func make(
        _ plan: LayerPlan,
        _ origin: LayerOrigin,
        hasLayer: Bool,
        hasBlob: Bool,
        _ operation: String,
        _ progress: ProgressBoard
    ) async throws {
        let ingest = try directory.ingest(operation)
        do {
            let job = LayerJob(
                plan: plan,
                ingest: ingest,
                directory: directory,
                unpacks: !hasLayer,
                keepsBlob: !hasBlob,
                operation: operation
            )
            let row: LayerRow?
            switch origin {
            case _ where hasBlob: row = try await read(directory.blob(plan.blob.digest), job, progress)
            case .file(let path): row = try await read(path, job, progress)
            case .registry(let session): row = try await download(session, job, progress)
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

/// The blocking part: hash, expand, unpack, compare, sync, rename into place.
private struct LayerJob: Sendable {
    let plan: LayerPlan
    let ingest: String
    let directory: StoreDirectory
    let unpacks: Bool
    let keepsBlob: Bool
    let operation: String

    /// - Parameter file: The file that `source` reads and that becomes the blob; nil when the bytes are still to be
    ///   written to one.
    /// - Returns: The row to record, when there was something to unpack.
    func run(_ source: any ByteSource, file: String?) throws -> LayerRow? {
        guard file == nil else { return try run(source, file: file, copy: nil) }
        let copy = try Files.open(ingest + "/blob", [.writeOnly, .create, .exclusive])
        return try run(source, file: nil, copy: copy.raw)
    }

    private func run(_ source: any ByteSource, file: String?, copy: Int32?) throws -> LayerRow? {
        var row: LayerRow?
        if unpacks {
            try Files.makeDirectory(ingest + "/tree", mode: 0o755)
            let tree = try Files.open(ingest + "/tree", [.readOnly, .directory])
            let layer = try LayerStream.unpack(source, into: tree.raw, copyingTo: copy)
            try check(blob: layer.blob, sizeBytes: layer.blobBytes)
            guard layer.diffID == plan.diffID else {
                throw ImageStoreError.corrupt(
                    subject: "layer \(plan.blob.digest)",
                    reason:
                        "its content has digest \(layer.diffID), the image configuration says \(plan.diffID)"
                )
            }
            row = LayerRow(
                chain: plan.chain.digest.hex,
                parent: plan.parent?.digest.hex,
                diff: plan.diffID.hex,
                contentBytes: layer.contentBytes,
                root: layer.root
            )
        } else {
            let hashing = HashingSource(source, copyingTo: copy)
            try hashing.drain()
            try check(blob: hashing.digest, sizeBytes: hashing.count)
        }
        // Everything is on disk before a name or a record says so.
        try directory.syncAll()
        directory.faults.reach("image-store.\(operation).layer-synced")
        if keepsBlob {
            try Files.rename(file ?? ingest + "/blob", to: directory.blob(plan.blob.digest))
            try directory.sync(directory.blobs)
        }
        directory.faults.reach("image-store.\(operation).layer-blob-renamed")
        if unpacks {
            // Without a record it is what a killed process left: the next start would have removed it.
            try Files.removeTree(directory.layer(plan.chain.digest.hex))
            try Files.rename(ingest + "/tree", to: directory.layer(plan.chain.digest.hex))
            try directory.sync(directory.layers)
        }
        return row
    }

    private func check(blob: Digest, sizeBytes: Int64) throws(ImageStoreError) {
        guard blob == plan.blob.digest else {
            throw .corrupt(
                subject: "layer \(plan.blob.digest)",
                reason: "the bytes received have digest \(blob)"
            )
        }
        guard sizeBytes == plan.blob.sizeBytes else {
            throw .corrupt(
                subject: "layer \(plan.blob.digest)",
                reason: "it has \(sizeBytes) bytes, its descriptor says \(plan.blob.sizeBytes)"
            )
        }
    }
}
