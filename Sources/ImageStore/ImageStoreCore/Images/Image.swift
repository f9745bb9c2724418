// SPDX-License-Identifier: Apache-2.0
package import OCI

/// A complete image: all its layers are unpacked.
package struct Image: Sendable {
    /// The digest of its configuration.
    package let id: Digest
    /// As Docker shows them: `busybox:latest`.
    package let references: [String]
    /// `busybox@sha256:…`.
    package let repositoryDigests: [String]
    package let manifest: Digest
    package let configurationBytes: [UInt8]
    package let configuration: ImageConfiguration
    /// Of the files in its layers.
    package let sizeBytes: Int64
    /// The same of each layer, lowest first.
    package let layerBytes: [Int64]
}

/// One image of a list.
package struct ListedImage: Sendable {
    package let id: Digest
    package let references: [String]
    package let repositoryDigests: [String]
    package let manifest: Digest
    package let sizeBytes: Int64
    /// Nil when it is lost or damaged: no container can be made of the image until it is pulled or loaded again.
    package let configuration: ImageConfiguration?
}

extension ListedImage {
    /// Zero when it is not known.
    package var createdAtUnixNanos: Int64 { configuration?.createdAtUnixNanos ?? 0 }
}

/// An image that was loaded or pulled.
package struct InstalledImage: Sendable {
    package let image: Image
    /// The store had just this before, under these names.
    package let isUnchanged: Bool
    /// What was asked for when it was pulled, or the names that its archive gives it.
    package let references: [Reference]
    /// What the registry has under the name: the index, where there is one. Of a loaded image, its manifest.
    package let digest: Digest
}

/// What `remove` took away.
package struct RemovedImages: Sendable {
    package var untagged: [String] = []
    /// Image ids and layers.
    package var deleted: [String] = []
}
