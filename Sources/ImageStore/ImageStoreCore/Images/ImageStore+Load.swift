// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import OCI
internal import System

/// Takes an archive's bytes as they come.
package struct ArchiveWriter: Sendable {
    let conduit: ByteConduit

    /// Suspends while the store is behind.
    /// - Throws: When the store reads no more; its own error says why.
    package func write(_ bytes: [UInt8]) async throws { try await conduit.send(bytes) }
}

/// Images from archives.
extension ImageStore {
    /// Installs all images of an archive: Docker's or OCI's, plain, gzip or zstd.
    ///
    /// - Parameters:
    ///   - platform: What to take of each image; empty: this machine's of an index, and whatever an image is for that has
    ///     none.
    ///   - feed: Writes the archive; returning is its end, throwing ends the load.
    package func load(
        platform: String = "",
        progress: ProgressBoard,
        _ feed: (ArchiveWriter) async throws -> Void
    ) async throws(ImageStoreError) -> [InstalledImage] {
        do {
            let wanted: Platform?
            do throws(OCIError) { wanted = platform.isEmpty ? nil : try Platform(platform) } catch {
                throw ImageStoreError.invalid(error)
            }
            let ingest = try directory.ingest("load")
            let outcome: Result<[InstalledImage], any Error>
            do {
                let spool = try await spool(into: ingest, progress, feed)
                faults.reach("image-store.load.spooled")
                let contents = try ArchiveContents(of: spool, platform: wanted)
                // All of it is looked at before any of it is installed.
                for index in 0..<contents.count { _ = try contents.image(at: index) }
                var installed: [InstalledImage] = []
                for index in 0..<contents.count {
                    installed.append(try await install(try contents.image(at: index), progress))
                }
                outcome = .success(installed)
            } catch {
                outcome = .failure(error)
            }
            try? await BlockingThread.run { [directory] _ in directory.discard(ingest) }
            return try outcome.get()
        } catch {
            let failure = ImageStoreError(error, subject: "the archive", path: path)
            if case .diskFull = failure { await undoAfterFullDisk() }
            throw failure
        }
    }

    private func spool(
        into ingest: String,
        _ progress: ProgressBoard,
        _ feed: (ArchiveWriter) async throws -> Void
    ) async throws -> ArchiveSpool {
        progress.note("archive", .loading)
        return try await BlockingThread.run(
            reading: { source in try ArchiveSpool(reading: source, into: ingest) },
            feed: { conduit in try await feed(ArchiveWriter(conduit: conduit)) }
        )
    }

    private func install(_ image: ArchiveImage, _ progress: ProgressBoard) async throws -> InstalledImage {
        let id = image.manifest.configuration.digest
        let digest = Digest(of: image.manifestBytes)
        let subject = image.references.first?.familiar ?? "\(id)"
        let plans = try LayerPlan.plans(image.manifest.layers, image.configuration.diffIDs, subject: subject)
        return try await pins.whileHolding { pins in
            pins.pin(image: id)
            pins.pin(blob: id)
            pins.pin(blob: digest)
            for plan in plans {
                pins.pin(blob: plan.blob.digest)
                pins.pin(layer: plan.chain)
            }
            let sources = zip(plans, image.layerFiles).map { ($0, LayerOrigin.file($1)) }
            try await install(sources, operation: "load", progress: progress)
            try await store(image.configurationBytes, as: id, operation: "load")
            try await store(image.manifestBytes, as: digest, operation: "load")
            faults.reach("image-store.load.content-complete")
            let record = ImageRecord(
                id: id,
                manifest: digest,
                mediaType: image.manifest.mediaType,
                blobs: [digest, id] + image.manifest.layers.map(\.digest),
                chain: plans.last?.chain,
                names: image.references,
                repositoryDigest: nil,
                event: .load,
                eventName: image.references.first?.familiar
            )
            return try await self.record(complete: record, operation: "load")
        }
    }
}
