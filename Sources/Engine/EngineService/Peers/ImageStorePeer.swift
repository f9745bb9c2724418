// SPDX-License-Identifier: Apache-2.0
package import EngineCore
internal import Messages
package import RPC
internal import Services

/// The image store, as the engine's core wants it, over gRPC. Snapshots belong to owner "engine".
package struct ImageStorePeer: ImageSource {
    private static let owner = "engine"

    /// Also for the streams that the engine passes through.
    let client: ImageV1.ImageStoreClient
    private let calls = PeerCalls(daemon: "image store")

    package init(channel: Channel) { client = ImageV1.ImageStoreClient(channel: channel) }

    package func image(_ reference: String) async throws(PeerError) -> StoredImage {
        StoredImage(
            try await calls.repeating { options throws(RPCError) in
                try await client.get(ImageV1.GetRequest(reference: reference), options: options)
            }
        )
    }

    package func images(matching pattern: String) async throws(PeerError) -> [StoredImage] {
        try await Pages.all { page async throws(PeerError) in
            let response = try await calls.repeating { options throws(RPCError) in
                try await client.list(ImageV1.ListRequest(reference: pattern, page: page), options: options)
            }
            return (response.images.map(StoredImage.init), response.nextPage)
        }
    }

    package func remove(_ reference: String, force: Bool) async throws(PeerError) -> ImageRemoval {
        let response = try await calls.once { options throws(RPCError) in
            try await client.remove(
                ImageV1.RemoveRequest(reference: reference, force: force),
                options: options
            )
        }
        return ImageRemoval(untagged: response.untagged, deleted: response.deleted)
    }

    package func tag(_ source: String, as target: String) async throws(PeerError) {
        _ = try await calls.repeating { options throws(RPCError) in
            try await client.tag(ImageV1.TagRequest(source: source, target: target), options: options)
        }
    }

    package func prune(_ id: String, untaggedOnly: Bool) async throws(PeerError) -> ImagePruning {
        let response = try await calls.once { options throws(RPCError) in
            try await client.prune(
                ImageV1.PruneRequest(imageIds: [id], untaggedOnly: untaggedOnly),
                options: options
            )
        }
        return ImagePruning(
            removal: ImageRemoval(untagged: response.untagged, deleted: response.deleted),
            reclaimedBytes: response.reclaimedBytes
        )
    }

    package func usage(containers: Bool) async throws(PeerError) -> ImageUsage {
        try await usage(ImageV1.UsageRequest(snapshotOwner: containers ? ImageStorePeer.owner : ""))
    }

    package func written(by id: ContainerID) async throws(PeerError) -> ImageUsage.Written? {
        let request = ImageV1.UsageRequest(snapshotOwner: ImageStorePeer.owner, snapshotKey: id.text)
        return try await usage(request).containers[id.text]
    }

    private func usage(_ request: ImageV1.UsageRequest) async throws(PeerError) -> ImageUsage {
        let response = try await calls.repeating { options throws(RPCError) in
            try await client.usage(request, options: options)
        }
        var usage = ImageUsage()
        usage.sharedBytes = Dictionary(response.images.map { ($0.imageId, $0.sharedBytes) }) { $1 }
        usage.layersBytes = response.layersBytes
        usage.blobsBytes = response.blobsBytes
        for snapshot in response.snapshots {
            usage.containers[snapshot.key] = ImageUsage.Written(
                bytes: snapshot.writtenBytes,
                layersBytes: snapshot.layersBytes
            )
        }
        return usage
    }

    package func prepareSnapshot(
        _ key: ContainerID,
        of image: String,
        called reference: String,
        _ endurance: SnapshotEndurance
    ) async throws(PeerError) -> PreparedSnapshot {
        let request = ImageV1.PrepareSnapshotRequest(
            owner: ImageStorePeer.owner,
            key: key.text,
            imageId: image,
            transient: endurance == .transient,
            reference: reference,
            provisional: endurance == .provisional
        )
        return PreparedSnapshot(
            try await calls.repeating { options throws(RPCError) in
                try await client.prepareSnapshot(request, options: options)
            }
        )
    }

    package func keepSnapshot(_ key: ContainerID, of image: String) async throws(PeerError) {
        do throws(PeerError) {
            _ = try await calls.repeating { options throws(RPCError) in
                try await client.keepSnapshot(snapshotKey(key), options: options)
            }
        } catch {
            // A store of an earlier release is asked for the same one to last.
            guard error.kind == .unimplemented else { throw error }
            _ = try await prepareSnapshot(key, of: image, called: "", .lasting)
        }
    }

    package func removeSnapshot(_ key: ContainerID) async throws(PeerError) {
        _ = try await calls.repeating { options throws(RPCError) in
            try await client.removeSnapshot(snapshotKey(key), options: options)
        }
    }

    package func snapshots() async throws(PeerError) -> [ListedSnapshot] {
        try await Pages.all { page async throws(PeerError) in
            let response = try await calls.repeating { options throws(RPCError) in
                try await client.listSnapshots(
                    ImageV1.ListSnapshotsRequest(owner: ImageStorePeer.owner, page: page),
                    options: options
                )
            }
            let listed = response.snapshots.map {
                ListedSnapshot(
                    key: $0.key,
                    $0.provisional ? .provisional : $0.transient ? .transient : .lasting
                )
            }
            return (listed, response.nextPage)
        }
    }

    package func snapshot(_ key: ContainerID) async throws(PeerError) -> PreparedSnapshot {
        PreparedSnapshot(
            try await calls.repeating { options throws(RPCError) in
                try await client.getSnapshot(snapshotKey(key), options: options)
            }
        )
    }

    package func version() async throws(PeerError) -> ImageStoreVersion {
        let response = try await calls.repeating { options throws(RPCError) in
            try await client.version(ImageV1.VersionRequest(), options: options)
        }
        return ImageStoreVersion(
            release: response.version,
            images: response.images,
            storageDriver: response.storageDriver
        )
    }

    package func followEvents(
        after position: JournalPosition,
        _ receive: @Sendable (StoredImageEvent) async throws -> Void
    ) async throws {
        let request = ImageV1.EventsRequest(journalId: position.journal, afterSequence: position.sequence)
        let stream = try await calls.once(CallDeadline.endlessOptions) { options throws(RPCError) in
            try await client.events(request, options: options)
        }
        while true {
            let next: ImageV1.Event?
            do throws(RPCError) { next = try await stream.next() } catch { throw calls.peerError(error) }
            guard let next else { return }
            try await receive(StoredImageEvent(next))
        }
    }

    package func eventPosition() async throws(PeerError) -> JournalPosition {
        let response = try await calls.repeating { options throws(RPCError) in
            try await client.version(ImageV1.VersionRequest(), options: options)
        }
        return JournalPosition(journal: response.journalId, sequence: response.lastEventSequence)
    }

    private func snapshotKey(_ key: ContainerID) -> ImageV1.SnapshotKey {
        ImageV1.SnapshotKey(owner: ImageStorePeer.owner, key: key.text)
    }
}

extension PreparedSnapshot {
    init(_ message: ImageV1.Snapshot) {
        self.init(mounts: message.mounts.map(RootMount.init), upperDirectory: message.upperDirectory)
    }
}

extension StoredImage {
    init(_ message: ImageV1.Image) {
        self.init(id: message.id)
        references = message.references
        repositoryDigests = message.repositoryDigests
        manifestDigest = message.manifestDigest
        configuration = message.configJson
        createdAtUnixNanos = message.createdAtUnixNanos
        sizeBytes = message.sizeBytes
        architecture = message.architecture
        os = message.os
        diffIDs = message.diffIds
        layerBytes = message.layerBytes
        labels = message.labels
        isDamaged = message.damaged
    }
}

extension StoredImageEvent {
    init(_ event: ImageV1.Event) {
        self.init(
            position: JournalPosition(journal: event.journalId, sequence: event.sequence),
            action: event.action,
            image: event.imageId,
            name: event.name,
            wallUnixNanos: event.wallUnixNanos
        )
    }
}
