// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// Content by digest, with the size and type that it must have.
package struct ContentDescriptor: Hashable, Sendable {
    package let mediaType: String
    package let digest: Digest
    package let sizeBytes: Int64
    /// Of an index's element.
    package let platform: Platform?
    package let annotations: [String: String]

    package init(
        mediaType: String,
        digest: Digest,
        sizeBytes: Int64,
        platform: Platform? = nil,
        annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.platform = platform
        self.annotations = annotations
    }

    init(_ document: Document) throws(OCIError) {
        mediaType = try document.optionalString("mediaType") ?? ""
        digest = try document.digest("digest")
        guard let size = try document.optionalInteger("size"), size >= 0 else {
            throw .invalidMember(document: document.name, path: document.path + ".size", "expected a size")
        }
        sizeBytes = size
        platform = try document.optionalObject("platform").flatMap { Platform(json: $0.json) }
        annotations = try document.stringMap("annotations")
    }

    var json: JSON {
        var object: JSON.Object = [
            "mediaType": .string(mediaType),
            "digest": .string(digest.description),
            "size": .integer(sizeBytes),
        ]
        if let platform {
            var member: JSON.Object = [
                "architecture": .string(platform.architecture), "os": .string(platform.os),
            ]
            if !platform.variant.isEmpty { member["variant"] = .string(platform.variant) }
            object["platform"] = .object(member)
        }
        if !annotations.isEmpty {
            var member: JSON.Object = [:]
            for (key, value) in annotations.sorted(by: { $0.key < $1.key }) { member[key] = .string(value) }
            object["annotations"] = .object(member)
        }
        return .object(object)
    }
}

/// An image's manifest: its configuration and its layers, lowest first.
package struct Manifest: Hashable, Sendable {
    /// The most that a manifest or an index may take, in bytes; what registries accept.
    package static let limitBytes = 4 << 20
    /// More layers than overlayfs stacks make no image.
    package static let maximumLayers = 500

    package let mediaType: String
    package let configuration: ContentDescriptor
    package let layers: [ContentDescriptor]

    package init(mediaType: String, configuration: ContentDescriptor, layers: [ContentDescriptor]) {
        self.mediaType = mediaType
        self.configuration = configuration
        self.layers = layers
    }

    init(_ document: Document, mediaType: String) throws(OCIError) {
        self.mediaType = mediaType
        configuration = try ContentDescriptor(document.object("config"))
        guard MediaType.isConfiguration(configuration.mediaType) else {
            throw .unsupportedMediaType(document: "manifest: config", configuration.mediaType)
        }
        var layers: [ContentDescriptor] = []
        for element in try document.elements("layers", limit: Self.maximumLayers) {
            let layer = try ContentDescriptor(element)
            guard MediaType.isLayer(layer.mediaType) else {
                throw .unsupportedMediaType(document: "manifest: " + element.path, layer.mediaType)
            }
            layers.append(layer)
        }
        self.layers = layers
    }

    /// As OCI writes it; the same values give the same bytes.
    package func serialized() -> [UInt8] {
        let document: JSON.Object = [
            "schemaVersion": .integer(2),
            "mediaType": .string(mediaType),
            "config": configuration.json,
            "layers": .array(layers.map(\.json)),
        ]
        return JSON.object(document).serialized()
    }
}

/// A list of manifests, for several platforms or of a whole layout.
package struct Index: Hashable, Sendable {
    package let manifests: [ContentDescriptor]

    package init(manifests: [ContentDescriptor]) { self.manifests = manifests }

    init(_ document: Document) throws(OCIError) {
        var manifests: [ContentDescriptor] = []
        for element in try document.elements("manifests", limit: 10_000) {
            manifests.append(try ContentDescriptor(element))
        }
        self.manifests = manifests
    }

    /// `index.json` of a layout.
    package init(parsing bytes: [UInt8]) throws(OCIError) {
        try self.init(Document(bytes, name: "index", limit: Manifest.limitBytes))
    }

    package func serialized() -> [UInt8] {
        let document: JSON.Object = [
            "schemaVersion": .integer(2),
            "mediaType": .string(MediaType.ociIndex),
            "manifests": .array(manifests.map(\.json)),
        ]
        return JSON.object(document).serialized()
    }

    /// The manifest or nested index that suits `platform` best; nil when there is none.
    ///
    /// One that names no platform counts as the last resort. Attestations (`unknown/unknown`) never suit.
    package func manifest(for platform: Platform) -> ContentDescriptor? {
        var best: (preference: Int, descriptor: ContentDescriptor)?
        for candidate in manifests {
            guard MediaType.isManifest(candidate.mediaType) || MediaType.isIndex(candidate.mediaType) else {
                continue
            }
            guard let preference = candidate.platform.map({ platform.preference(for: $0) }) ?? 1_000 else {
                continue
            }
            if best.map({ preference < $0.preference }) ?? true { best = (preference, candidate) }
        }
        return best?.descriptor
    }
}

/// What a registry or a layout gives for a manifest's digest or tag.
package enum ManifestDocument: Hashable, Sendable {
    case manifest(Manifest)
    case index(Index)

    /// - Parameter mediaType: What the descriptor or the response says; the document's own word wins, as OCI asks, and
    ///   its members decide where neither says.
    package init(parsing bytes: [UInt8], mediaType: String) throws(OCIError) {
        let document = try Document(bytes, name: "manifest", limit: Manifest.limitBytes)
        var type = try document.optionalString("mediaType") ?? mediaType
        if !MediaType.isManifest(type), !MediaType.isIndex(type) {
            guard type.isEmpty || type == "application/json" || type.hasPrefix("text/") else {
                throw .unsupportedMediaType(document: "manifest", type)
            }
            type = document.member("manifests") == nil ? MediaType.ociManifest : MediaType.ociIndex
        }
        if try document.optionalInteger("schemaVersion") != 2 {
            throw .invalidMember(document: "manifest", path: "schemaVersion", "only version 2 is supported")
        }
        self =
            MediaType.isIndex(type)
            ? .index(try Index(document)) : .manifest(try Manifest(document, mediaType: type))
    }
}

/// `manifest.json` of a Docker archive: the images in it, as files of the archive.
package struct DockerArchiveManifest: Hashable, Sendable {
    package struct Image: Hashable, Sendable {
        /// The configuration's file in the archive.
        package let configuration: String
        /// As users wrote them: `busybox:latest`.
        package let references: [String]
        /// The layers' files in the archive, lowest first.
        package let layers: [String]
    }

    package let images: [Image]

    package init(parsing bytes: [UInt8]) throws(OCIError) {
        // The document is an array; an object around it lets the same reader give positions.
        let wrapped = Array("{\"manifest.json\":".utf8) + bytes + Array("}".utf8)
        let document = try Document(wrapped, name: "docker archive", limit: Manifest.limitBytes)
        var images: [Image] = []
        for element in try document.elements("manifest.json", limit: 10_000) {
            let layers = try element.strings("Layers", limit: Manifest.maximumLayers) ?? []
            images.append(
                Image(
                    configuration: try element.string("Config"),
                    references: try element.strings("RepoTags") ?? [],
                    layers: layers
                )
            )
        }
        self.images = images
    }
}
