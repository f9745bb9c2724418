// SPDX-License-Identifier: Apache-2.0
internal import ImageStoreCore
internal import Messages
internal import OCI

/// The core's values as messages.
extension ImageV1.Image {
    init(_ installed: InstalledImage) { self.init(installed.image, isUnchanged: installed.isUnchanged) }

    init(_ image: Image, isUnchanged: Bool) {
        self.init(
            id: "\(image.id)",
            references: image.references,
            repositoryDigests: image.repositoryDigests,
            manifestDigest: "\(image.manifest)",
            configJson: image.configurationBytes,
            createdAtUnixNanos: image.configuration.createdAtUnixNanos,
            sizeBytes: UInt64(clamping: image.sizeBytes),
            architecture: image.configuration.platform.architecture,
            os: image.configuration.platform.os,
            diffIds: image.configuration.diffIDs.map { "\($0)" },
            unchanged: isUnchanged,
            labels: image.configuration.defaults.labels,
            layerBytes: image.layerBytes.map { UInt64(clamping: $0) }
        )
    }

    /// Without the configuration itself.
    init(_ image: ListedImage) {
        self.init(
            id: "\(image.id)",
            references: image.references,
            repositoryDigests: image.repositoryDigests,
            manifestDigest: "\(image.manifest)",
            createdAtUnixNanos: image.createdAtUnixNanos,
            sizeBytes: UInt64(clamping: image.sizeBytes),
            architecture: image.configuration?.platform.architecture ?? "",
            os: image.configuration?.platform.os ?? "",
            diffIds: image.configuration?.diffIDs.map { "\($0)" } ?? [],
            labels: image.configuration?.defaults.labels ?? [:],
            damaged: image.configuration == nil
        )
    }
}

extension ImageV1.Progress {
    init(_ progress: Progress) {
        self.init(
            id: progress.id,
            status: progress.status.rawValue,
            currentBytes: UInt64(clamping: progress.currentBytes),
            totalBytes: UInt64(clamping: progress.totalBytes)
        )
    }
}

extension ImageV1.Snapshot {
    init(_ snapshot: Snapshot) {
        self.init(
            owner: snapshot.key.owner,
            key: snapshot.key.key,
            imageId: snapshot.imageID,
            mounts: snapshot.mounts.map {
                CommonV1.Mount(type: $0.type, source: $0.source, target: "/", options: $0.options)
            },
            upperDirectory: snapshot.upperDirectory
        )
    }
}

extension ImageV1.Snapshot {
    /// Without its mounts.
    init(_ snapshot: ListedSnapshot) {
        self.init(
            owner: snapshot.key.owner,
            key: snapshot.key.key,
            imageId: snapshot.imageID,
            upperDirectory: snapshot.upperDirectory,
            provisional: snapshot.endurance == .provisional,
            transient: snapshot.endurance == .transient
        )
    }
}

extension ImageV1.Event {
    init(_ event: ImageEvent) {
        self.init(
            journalId: event.position.journal,
            sequence: event.position.sequence,
            action: event.action.rawValue,
            imageId: event.imageID,
            name: event.name,
            wallUnixNanos: event.wallUnixNanos
        )
    }
}

extension SnapshotKey {
    init(_ key: ImageV1.SnapshotKey) { self.init(owner: key.owner, key: key.key) }
}

extension ImageV1.UsageResponse {
    init(_ usage: StoreUsage) {
        self.init(
            images: usage.images.map {
                ImageV1.ImageUsage(
                    imageId: $0.imageID,
                    sizeBytes: UInt64(clamping: $0.sizeBytes),
                    sharedBytes: UInt64(clamping: $0.sharedBytes)
                )
            },
            layersBytes: UInt64(clamping: usage.layersBytes),
            blobsBytes: UInt64(clamping: usage.blobsBytes),
            snapshots: usage.snapshots.map {
                ImageV1.SnapshotUsage(
                    key: $0.key.key,
                    imageId: $0.imageID,
                    writtenBytes: UInt64(clamping: $0.writtenBytes),
                    layersBytes: UInt64(clamping: $0.layersBytes)
                )
            }
        )
    }
}
