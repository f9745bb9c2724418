// SPDX-License-Identifier: Apache-2.0

/// The media types of images, in OCI's and in Docker's spelling.
package enum MediaType {
    package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    package static let ociIndex = "application/vnd.oci.image.index.v1+json"
    package static let ociConfiguration = "application/vnd.oci.image.config.v1+json"
    package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    package static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerConfiguration = "application/vnd.docker.container.image.v1+json"

    package static func isManifest(_ type: String) -> Bool { type == ociManifest || type == dockerManifest }
    package static func isIndex(_ type: String) -> Bool { type == ociIndex || type == dockerList }
    package static func isConfiguration(_ type: String) -> Bool {
        type == ociConfiguration || type == dockerConfiguration
    }

    /// Whether it is a layer as tar; how it is compressed shows in the bytes.
    package static func isLayer(_ type: String) -> Bool {
        layers.contains(type)
    }

    private static let layers: Set<String> = [
        ociLayer,
        ociLayerGzip,
        ociLayerZstd,
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ]
}
