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
}

/// An image that was loaded or pulled.
package struct InstalledImage: Sendable {
    package let image: Image
    /// The store had just this before, under this name.
    package let isUnchanged: Bool
}

/// What `remove` took away.
package struct RemovedImages: Sendable {
    package var untagged: [String] = []
    /// Image ids and layers.
    package var deleted: [String] = []
}
