// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import Logging
internal import OCI
internal import Registry
internal import System

/// Images from registries.
extension ImageStore {
    private static let maximumIndexDepth = 3

    /// Makes the image that a registry has under `text` this machine's, layers unpacked while they stream in.
    ///
    /// - Parameter platform: `os/architecture[/variant]`, empty for this machine's.
    /// - Parameter plainHTTP: Without TLS also from other hosts than loopback.
    package func pull(
        _ text: String,
        platform: String,
        plainHTTP: Bool,
        progress: ProgressBoard
    ) async throws(ImageStoreError) -> InstalledImage {
        let reference: Reference
        let wanted: Platform
        do throws(OCIError) {
            reference = try Reference(text).withDefaultTag
            wanted = platform.isEmpty ? .current : try Platform(platform)
        } catch {
            throw .invalid(error)
        }
        do {
            return try await pins.whileHolding { pins in
                try await pull(
                    reference,
                    wanted,
                    isPlatformAsked: !platform.isEmpty,
                    plainHTTP,
                    pins,
                    progress
                )
            }
        } catch {
            let failure = ImageStoreError(error, subject: reference.familiar, path: path)
            if case .diskFull = failure { await undoAfterFullDisk() }
            throw failure
        }
    }

    private func pull(
        _ reference: Reference,
        _ platform: Platform,
        isPlatformAsked: Bool,
        _ plainHTTP: Bool,
        _ pins: PinHolder,
        _ progress: ProgressBoard
    ) async throws -> InstalledImage {
        progress.note(reference.familiar, .waiting)
        let session = try await registry.open(reference, plainHTTP: plainHTTP)
        let tagOrDigest = reference.digest.map { "\($0)" } ?? reference.tag ?? "latest"
        let top = try await session.manifest(tagOrDigest)
        let topDigest = Digest(of: top.bytes)
        try Self.check(topDigest, is: reference.digest ?? topDigest)
        let (manifest, bytes) = try await choose(top, platform, reference, session)
        let digest = Digest(of: bytes)
        pins.pin(image: manifest.configuration.digest)
        pins.pin(blob: digest)
        for descriptor in [manifest.configuration] + manifest.layers { pins.pin(blob: descriptor.digest) }

        let configurationBytes = try await configuration(manifest.configuration, session)
        let configuration = try ImageConfiguration(parsing: configurationBytes)
        if isPlatformAsked { try Self.check(configuration, runsOn: platform, reference) }
        let plans = try LayerPlan.plans(manifest.layers, configuration.diffIDs, subject: reference.familiar)
        for plan in plans { pins.pin(layer: plan.chain) }
        faults.reach("image-store.pull.resolved")
        try await install(plans.map { ($0, .registry(session)) }, operation: "pull", progress: progress)
        try await store(configurationBytes, as: manifest.configuration.digest, operation: "pull")
        try await store(bytes, as: digest, operation: "pull")
        faults.reach("image-store.pull.content-complete")
        let record = ImageRecord(
            id: manifest.configuration.digest,
            manifest: digest,
            mediaType: manifest.mediaType,
            blobs: [digest, manifest.configuration.digest] + manifest.layers.map(\.digest),
            chain: plans.last?.chain,
            names: reference.digest == nil ? [reference] : [],
            repositoryDigest: reference.withDigest(topDigest),
            event: .pull,
            eventName: reference.familiar
        )
        let installed = try await self.record(complete: record, operation: "pull")
        progress.note(reference.familiar, .complete)
        return installed
    }

    /// Records a complete image and says how it looks now.
    func record(complete record: ImageRecord, operation: String) async throws -> InstalledImage {
        let isUnchanged = try await catalog.transaction { try Catalog.record($0, record) }
        faults.reach("image-store.\(operation).recorded")
        if !isUnchanged { try await writeIndex() }
        let image = try await image("\(record.id)")
        return InstalledImage(
            image: image,
            isUnchanged: isUnchanged,
            references: record.names.isEmpty ? record.repositoryDigest.map { [$0] } ?? [] : record.names,
            digest: record.repositoryDigest?.digest ?? record.manifest
        )
    }

    /// The manifest for `platform`, from an index where there is one.
    private func choose(
        _ fetched: FetchedManifest,
        _ platform: Platform,
        _ reference: Reference,
        _ session: RegistrySession
    ) async throws -> (Manifest, [UInt8]) {
        var fetched = fetched
        for _ in 0...Self.maximumIndexDepth {
            switch try ManifestDocument(parsing: fetched.bytes, mediaType: fetched.mediaType) {
            case .manifest(let manifest): return (manifest, fetched.bytes)
            case .index(let index):
                guard let descriptor = index.manifest(for: platform) else {
                    throw ImageStoreError.noSuchPlatform(
                        reference: reference.familiar,
                        platform: "\(platform)",
                        available: index.manifests.compactMap { $0.platform.map { "\($0)" } }.filter {
                            $0 != "unknown/unknown"
                        }
                    )
                }
                let next = try await session.manifest("\(descriptor.digest)")
                try Self.check(Digest(of: next.bytes), is: descriptor.digest)
                try Self.check(size: next.bytes.count, of: descriptor)
                fetched = FetchedManifest(bytes: next.bytes, mediaType: descriptor.mediaType)
            }
        }
        throw ImageStoreError.malformed(
            subject: reference.familiar,
            .malformed(document: "index", "indexes within indexes, more than \(Self.maximumIndexDepth) deep")
        )
    }

    private func configuration(_ descriptor: ContentDescriptor, _ session: RegistrySession) async throws
        -> [UInt8]
    {
        if let bytes = try await storedBlob(descriptor.digest, limit: ImageConfiguration.limitBytes) {
            return bytes
        }
        guard descriptor.sizeBytes <= ImageConfiguration.limitBytes else {
            throw OCIError.malformed(
                document: "image configuration",
                "\(descriptor.sizeBytes) bytes are more than the limit of \(ImageConfiguration.limitBytes)"
            )
        }
        var bytes: [UInt8] = []
        try await session.blob(descriptor) { bytes += $0 }
        try Self.check(Digest(of: bytes), is: descriptor.digest)
        return bytes
    }

    private static func check(
        _ configuration: ImageConfiguration,
        runsOn platform: Platform,
        _ reference: Reference
    ) throws(ImageStoreError) {
        guard platform.preference(for: configuration.platform) == nil else { return }
        throw .noSuchPlatform(
            reference: reference.familiar,
            platform: "\(platform)",
            available: ["\(configuration.platform)"]
        )
    }

    static func check(_ digest: Digest, is wanted: Digest) throws(ImageStoreError) {
        guard digest == wanted else {
            throw .corrupt(subject: "\(wanted)", reason: "the bytes received have digest \(digest)")
        }
    }

    static func check(size: Int, of descriptor: ContentDescriptor) throws(ImageStoreError) {
        guard Int64(size) == descriptor.sizeBytes else {
            throw .corrupt(
                subject: "\(descriptor.digest)",
                reason: "it has \(size) bytes, its descriptor says \(descriptor.sizeBytes)"
            )
        }
    }

    /// Gives back what a failed operation has taken, as far as nobody else uses it.
    func undoAfterFullDisk() async {
        do throws(ImageStoreError) {
            try await collectGarbage()
        } catch {
            logger.error("garbage collection after a full disk failed", metadata: ["error": "\(error)"])
        }
    }
}
