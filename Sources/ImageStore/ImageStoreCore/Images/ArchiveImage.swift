// SPDX-License-Identifier: Apache-2.0
internal import FileTrees
internal import Layers
internal import OCI
internal import System
internal import Tar

/// One image in an archive, ready to be installed.
struct ArchiveImage: Sendable {
    let manifest: Manifest
    let manifestBytes: [UInt8]
    let configuration: ImageConfiguration
    let configurationBytes: [UInt8]
    /// The file of each layer.
    let layerFiles: [String]
    let references: [Reference]
}

extension ArchiveImage {
    // MARK: Docker

    init(_ spool: ArchiveSpool, _ entry: DockerArchiveManifest.Image) throws(ImageStoreError) {
        let file = try spool.member(entry.configuration)
        let bytes = try spool.bytes(file, limit: ImageConfiguration.limitBytes)
        let configuration = try Self.parse(entry.configuration, bytes) { bytes throws(OCIError) in
            try ImageConfiguration(parsing: bytes)
        }
        var layers: [ContentDescriptor] = []
        var files: [String] = []
        for name in entry.layers {
            let layer = try spool.member(name)
            layers.append(
                ContentDescriptor(
                    mediaType: try Self.mediaType(ofLayer: layer),
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
        self.init(
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

    init(
        _ spool: ArchiveSpool,
        _ descriptor: ContentDescriptor,
        _ references: [Reference],
        _ platform: Platform
    ) throws(ImageStoreError) {
        let (manifest, bytes) = try Self.resolve(spool, descriptor, platform)
        let configurationBytes = try Self.blob(
            spool,
            manifest.configuration,
            limit: ImageConfiguration.limitBytes
        )
        let configuration = try Self.parse("\(manifest.configuration.digest)", configurationBytes) {
            bytes throws(OCIError) in try ImageConfiguration(parsing: bytes)
        }
        var files: [String] = []
        for layer in manifest.layers { files.append(try Self.member(spool, layer).file) }
        self.init(
            manifest: manifest,
            manifestBytes: bytes,
            configuration: configuration,
            configurationBytes: configurationBytes,
            layerFiles: files,
            references: references
        )
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
            let document = try Self.parse("\(next.digest)", bytes) { bytes throws(OCIError) in
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
    fileprivate static func reference(_ annotations: [String: String]) -> Reference? {
        for key in ["io.containerd.image.name", "org.opencontainers.image.ref.name"] {
            guard let text = annotations[key], text.contains(":") || text.contains("/") else { continue }
            if let reference = try? Reference(text) { return reference.withDefaultTag }
        }
        return nil
    }

    fileprivate static func parse<T>(
        _ subject: String,
        _ bytes: [UInt8],
        _ body: ([UInt8]) throws(OCIError) -> T
    ) throws(ImageStoreError) -> T {
        do throws(OCIError) { return try body(bytes) } catch { throw .malformed(subject: subject, error) }
    }
}

/// The images of an archive, of which one at a time is read into memory.
struct ArchiveContents: Sendable {
    /// More images than anybody puts into one archive.
    private static let maximumImages = 500

    private enum Entry: Sendable {
        case docker(DockerArchiveManifest.Image)
        case layout(ContentDescriptor, [Reference])
    }

    private let spool: ArchiveSpool
    private let platform: Platform?
    private let entries: [Entry]

    /// What is in an archive: Docker's `manifest.json` says it, or an OCI layout's `index.json`.
    /// - Parameter platform: What every image in it must be for or have in its index; nil: this machine's of an index.
    init(of spool: ArchiveSpool, platform: Platform?) throws(ImageStoreError) {
        self.spool = spool
        self.platform = platform
        if let manifest = spool["manifest.json"] {
            let bytes = try spool.bytes(manifest, limit: Manifest.limitBytes)
            let document = try ArchiveImage.parse("manifest.json", bytes) { bytes throws(OCIError) in
                try DockerArchiveManifest(parsing: bytes)
            }
            entries = document.images.map(Entry.docker)
        } else if let index = spool["index.json"] {
            let bytes = try spool.bytes(index, limit: Manifest.limitBytes)
            let document = try ArchiveImage.parse("index.json", bytes) { bytes throws(OCIError) in
                try Index(parsing: bytes)
            }
            entries = Self.entries(document)
        } else {
            throw .notAnArchive(reason: "it has neither manifest.json (Docker) nor index.json (OCI)")
        }
        guard !entries.isEmpty else { throw .notAnArchive(reason: "it lists no image") }
        guard entries.count <= Self.maximumImages else {
            throw .notAnArchive(reason: "it lists more than \(Self.maximumImages) images")
        }
    }

    /// Each manifest once, with all names that the index gives it.
    private static func entries(_ index: Index) -> [Entry] {
        var places: [Digest: Int] = [:]
        var images: [(ContentDescriptor, [Reference])] = []
        for descriptor in index.manifests {
            let place = places[descriptor.digest, default: images.count]
            if place == images.count {
                places[descriptor.digest] = place
                images.append((descriptor, []))
            }
            guard let reference = ArchiveImage.reference(descriptor.annotations) else { continue }
            if !images[place].1.contains(reference) { images[place].1.append(reference) }
        }
        return images.map(Entry.layout)
    }

    var count: Int { entries.count }

    /// - Throws: When a part of it is missing or broken; `.noSuchPlatform`.
    func image(at index: Int) throws(ImageStoreError) -> ArchiveImage {
        let image =
            switch entries[index] {
            case .docker(let entry): try ArchiveImage(spool, entry)
            case .layout(let descriptor, let references):
                try ArchiveImage(spool, descriptor, references, platform ?? .current)
            }
        let actual = image.configuration.platform
        if let platform, platform.preference(for: actual) == nil {
            throw .noSuchPlatform(
                reference: image.references.first?.familiar ?? "\(image.manifest.configuration.digest)",
                platform: "\(platform)",
                available: ["\(actual)"]
            )
        }
        return image
    }
}
