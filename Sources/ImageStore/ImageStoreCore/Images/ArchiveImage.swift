// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import OCI
internal import System

/// One image in an archive, ready to be installed.
struct ArchiveImage: Sendable {
    let manifest: Manifest
    let manifestBytes: [UInt8]
    let configuration: ImageConfiguration
    let configurationBytes: [UInt8]
    /// The file of each layer.
    let layerFiles: [String]
    let references: [Reference]

    /// What is in an archive: Docker's `manifest.json` says it, or an OCI layout's `index.json`.
    static func images(in spool: ArchiveSpool, platform: Platform) throws(ImageStoreError) -> [ArchiveImage] {
        if let manifest = spool["manifest.json"] { return try docker(spool, manifest) }
        if let index = spool["index.json"] { return try layout(spool, index, platform) }
        throw .notAnArchive(reason: "it has neither manifest.json (Docker) nor index.json (OCI)")
    }

    // MARK: Docker

    private static func docker(_ spool: ArchiveSpool, _ member: ArchiveSpool.Member) throws(ImageStoreError)
        -> [ArchiveImage]
    {
        let document = try parse("manifest.json", try spool.bytes(member, limit: Manifest.limitBytes)) {
            bytes throws(OCIError) in try DockerArchiveManifest(parsing: bytes)
        }
        var images: [ArchiveImage] = []
        for entry in document.images { images.append(try image(spool, entry)) }
        guard !images.isEmpty else { throw .notAnArchive(reason: "its manifest.json lists no image") }
        return images
    }

    private static func image(
        _ spool: ArchiveSpool,
        _ entry: DockerArchiveManifest.Image
    ) throws(ImageStoreError) -> ArchiveImage {
        let file = try spool.member(entry.configuration)
        let bytes = try spool.bytes(file, limit: ImageConfiguration.limitBytes)
        let configuration = try parse(entry.configuration, bytes) { bytes throws(OCIError) in
            try ImageConfiguration(parsing: bytes)
        }
        var layers: [ContentDescriptor] = []
        var files: [String] = []
        for name in entry.layers {
            let layer = try spool.member(name)
            layers.append(
                ContentDescriptor(
                    mediaType: try mediaType(ofLayer: layer),
                    digest: layer.digest,
                    sizeBytes: layer.sizeBytes
                )
            )
            files.append(layer.file)
        }
        let manifest = Manifest(
            mediaType: MediaType.ociManifest,
            configuration: ContentDescriptor(
                mediaType: MediaType.ociConfiguration,
                digest: Digest(of: bytes),
                sizeBytes: Int64(bytes.count)
            ),
            layers: layers
        )
        var references: [Reference] = []
        for text in entry.references {
            do throws(OCIError) {
                references.append(try Reference(text).withDefaultTag)
            } catch {
                throw .malformed(subject: "manifest.json", error)
            }
        }
        return ArchiveImage(
            manifest: manifest,
            manifestBytes: manifest.serialized(),
            configuration: configuration,
            configurationBytes: bytes,
            layerFiles: files,
            references: references
        )
    }

    private static func mediaType(ofLayer member: ArchiveSpool.Member) throws(ImageStoreError) -> String {
        do {
            let source = FileSource(try Files.open(member.file, .readOnly), chunkBytes: 4_096)
            return switch try Compression.sniff(source).0 {
            case .none: MediaType.ociLayer
            case .gzip: MediaType.ociLayerGzip
            case .zstd: MediaType.ociLayerZstd
            }
        } catch {
            throw ImageStoreError(error, subject: "\(member.digest)")
        }
    }

    // MARK: OCI

    private static func layout(
        _ spool: ArchiveSpool,
        _ member: ArchiveSpool.Member,
        _ platform: Platform
    ) throws(ImageStoreError) -> [ArchiveImage] {
        let index = try parse("index.json", try spool.bytes(member, limit: Manifest.limitBytes)) {
            bytes throws(OCIError) in try Index(parsing: bytes)
        }
        var images: [ArchiveImage] = []
        for descriptor in index.manifests {
            let (manifest, bytes) = try resolve(spool, descriptor, platform)
            let configurationBytes = try blob(
                spool,
                manifest.configuration,
                limit: ImageConfiguration.limitBytes
            )
            let configuration = try parse("\(manifest.configuration.digest)", configurationBytes) {
                bytes throws(OCIError) in try ImageConfiguration(parsing: bytes)
            }
            var files: [String] = []
            for layer in manifest.layers { files.append(try self.member(spool, layer).file) }
            let image = ArchiveImage(
                manifest: manifest,
                manifestBytes: bytes,
                configuration: configuration,
                configurationBytes: configurationBytes,
                layerFiles: files,
                references: reference(descriptor.annotations).map { [$0] } ?? []
            )
            images.append(image)
        }
        guard !images.isEmpty else { throw .notAnArchive(reason: "its index.json lists no image") }
        return images
    }

    private static func resolve(
        _ spool: ArchiveSpool,
        _ descriptor: ContentDescriptor,
        _ platform: Platform
    ) throws(ImageStoreError) -> (Manifest, [UInt8]) {
        var next = descriptor
        for _ in 0...3 {
            let bytes = try blob(spool, next, limit: Manifest.limitBytes)
            let type = next.mediaType
            let document = try parse("\(next.digest)", bytes) { bytes throws(OCIError) in
                try ManifestDocument(parsing: bytes, mediaType: type)
            }
            switch document {
            case .manifest(let manifest): return (manifest, bytes)
            case .index(let index):
                // An archive may carry one platform of an image whose index names several.
                let present = Index(manifests: index.manifests.filter { spool.contains(path($0.digest)) })
                guard let chosen = present.manifest(for: platform) else {
                    throw .noSuchPlatform(
                        reference: "\(next.digest)",
                        platform: "\(platform)",
                        available: present.manifests.compactMap { $0.platform.map { "\($0)" } }
                    )
                }
                next = chosen
            }
        }
        throw .malformed(subject: "\(descriptor.digest)", .malformed(document: "index", "nested too deeply"))
    }

    private static func path(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    private static func member(
        _ spool: ArchiveSpool,
        _ descriptor: ContentDescriptor
    ) throws(ImageStoreError) -> ArchiveSpool.Member {
        let member = try spool.member(path(descriptor.digest))
        guard member.digest == descriptor.digest else {
            throw .corrupt(
                subject: "\(descriptor.digest)",
                reason: "in the archive it has digest \(member.digest)"
            )
        }
        guard member.sizeBytes == descriptor.sizeBytes else {
            throw .corrupt(
                subject: "\(descriptor.digest)",
                reason: "it has \(member.sizeBytes) bytes, its descriptor says \(descriptor.sizeBytes)"
            )
        }
        return member
    }

    private static func blob(
        _ spool: ArchiveSpool,
        _ descriptor: ContentDescriptor,
        limit: Int
    ) throws(ImageStoreError) -> [UInt8] {
        try spool.bytes(try member(spool, descriptor), limit: limit)
    }

    /// A whole name; a mere tag (`latest`) names nothing.
    private static func reference(_ annotations: [String: String]) -> Reference? {
        for key in ["io.containerd.image.name", "org.opencontainers.image.ref.name"] {
            guard let text = annotations[key], text.contains(":") || text.contains("/") else { continue }
            if let reference = try? Reference(text) { return reference.withDefaultTag }
        }
        return nil
    }

    private static func parse<T>(
        _ subject: String,
        _ bytes: [UInt8],
        _ body: ([UInt8]) throws(OCIError) -> T
    ) throws(ImageStoreError) -> T {
        do throws(OCIError) { return try body(bytes) } catch { throw .malformed(subject: subject, error) }
    }
}
