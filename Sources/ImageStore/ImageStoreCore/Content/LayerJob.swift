// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import OCI
internal import System
internal import Tar

/// The blocking part: hash, expand, unpack, compare, sync, rename into place.
struct LayerJob: Sendable {
    let plan: LayerPlan
    let ingest: String
    let directory: StoreDirectory
    let unpacks: Bool
    let keepsBlob: Bool
    let operation: String
    let budget: UnpackBudget

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
            let layer = try LayerStream.unpack(source, into: tree.raw, copyingTo: copy, budget: budget)
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
            try Files.syncDirectory(directory.blobs)
        }
        directory.faults.reach("image-store.\(operation).layer-blob-renamed")
        if unpacks {
            // Without a record it is what a killed process left: the next start would have removed it.
            try Files.removeTree(directory.layer(plan.chain.digest.hex))
            try Files.rename(ingest + "/tree", to: directory.layer(plan.chain.digest.hex))
            try Files.syncDirectory(directory.layers)
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
