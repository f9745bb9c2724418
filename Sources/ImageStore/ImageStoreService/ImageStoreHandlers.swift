// SPDX-License-Identifier: Apache-2.0
package import ImageStoreCore
package import Messages
internal import OCI
package import RPC
internal import Services

/// `petrel.image.v1.ImageStore`: requests to the core's values, one call, values to responses.
package struct ImageStoreHandlers: ImageV1.ImageStoreService {
    private let store: ImageStore
    private let release: String

    package init(store: ImageStore, release: String) {
        self.store = store
        self.release = release
    }

    package func load(
        _ requests: RequestStream<ImageV1.LoadRequest>,
        to responses: ResponseWriter<ImageV1.LoadResponse>,
        context: CallContext
    ) async throws {
        let board = ProgressBoard()
        let first = try await requests.next() ?? ImageV1.LoadRequest()
        let images = try await reporting(board) { progress in
            try await responses.write(ImageV1.LoadResponse(body: .progress(ImageV1.Progress(progress))))
        } during: {
            try await mapped {
                try await store.load(platform: first.platform, progress: board) { archive in
                    try await archive.write(first.data)
                    while let request = try await requests.next() { try await archive.write(request.data) }
                }
            }
        }
        for installed in images {
            try await responses.write(
                ImageV1.LoadResponse(
                    body: .image(ImageV1.Image(installed)),
                    references: installed.references.map(\.familiar)
                )
            )
        }
    }

    package func pull(
        _ request: ImageV1.PullRequest,
        to responses: ResponseWriter<ImageV1.PullResponse>,
        context: CallContext
    ) async throws {
        let board = ProgressBoard()
        let installed = try await reporting(board) { progress in
            try await responses.write(ImageV1.PullResponse(body: .progress(ImageV1.Progress(progress))))
        } during: {
            try await mapped {
                try await store.pull(
                    request.reference,
                    platform: request.platform,
                    plainHTTP: request.plainHttp,
                    progress: board
                )
            }
        }
        try await responses.write(
            ImageV1.PullResponse(
                body: .image(ImageV1.Image(installed)),
                reference: installed.references.first?.familiar ?? "",
                fullReference: installed.references.first?.description ?? "",
                digest: "\(installed.digest)"
            )
        )
    }

    package func list(_ request: ImageV1.ListRequest, context: CallContext) async throws
        -> ImageV1.ListResponse
    {
        let images = try await mapped { try await store.images(matching: request.reference) }
        let page = try NewestFirst.page(of: images, after: request.page) {
            NewestFirst(createdAtUnixNanos: $0.createdAtUnixNanos, id: "\($0.id)")
        } _: {
            ImageV1.Image($0)
        }
        return ImageV1.ListResponse(images: page.messages, nextPage: page.next)
    }

    package func get(_ request: ImageV1.GetRequest, context: CallContext) async throws -> ImageV1.Image {
        let image = try await mapped { try await store.image(request.reference) }
        return ImageV1.Image(image, isUnchanged: false)
    }

    package func tag(_ request: ImageV1.TagRequest, context: CallContext) async throws -> ImageV1.TagResponse
    {
        try await mapped { try await store.tag(request.source, as: request.target) }
        return ImageV1.TagResponse()
    }

    package func remove(_ request: ImageV1.RemoveRequest, context: CallContext) async throws
        -> ImageV1.RemoveResponse
    {
        let removed = try await mapped { try await store.remove(request.reference, force: request.force) }
        return ImageV1.RemoveResponse(untagged: removed.untagged, deleted: removed.deleted)
    }

    package func prune(_ request: ImageV1.PruneRequest, context: CallContext) async throws
        -> ImageV1.PruneResponse
    {
        let pruned = try await mapped {
            try await store.prune(request.imageIds, untaggedOnly: request.untaggedOnly)
        }
        return ImageV1.PruneResponse(
            untagged: pruned.removed.untagged,
            deleted: pruned.removed.deleted,
            reclaimedBytes: UInt64(clamping: pruned.reclaimedBytes)
        )
    }

    package func usage(_ request: ImageV1.UsageRequest, context: CallContext) async throws
        -> ImageV1.UsageResponse
    {
        let usage = try await mapped {
            try await store.usage(snapshotOwner: request.snapshotOwner, key: request.snapshotKey)
        }
        return ImageV1.UsageResponse(usage)
    }

    package func prepareSnapshot(
        _ request: ImageV1.PrepareSnapshotRequest,
        context: CallContext
    ) async throws -> ImageV1.Snapshot {
        let key = SnapshotKey(owner: request.owner, key: request.key)
        return ImageV1.Snapshot(
            try await mapped {
                try await store.prepareSnapshot(
                    key,
                    imageID: request.imageId,
                    reference: request.reference,
                    request.transient ? .transient : request.provisional ? .provisional : .lasting
                )
            }
        )
    }

    package func getSnapshot(_ request: ImageV1.SnapshotKey, context: CallContext) async throws
        -> ImageV1.Snapshot
    {
        ImageV1.Snapshot(try await mapped { try await store.snapshot(SnapshotKey(request)) })
    }

    package func keepSnapshot(_ request: ImageV1.SnapshotKey, context: CallContext) async throws
        -> ImageV1.Snapshot
    {
        ImageV1.Snapshot(try await mapped { try await store.keepSnapshot(SnapshotKey(request)) })
    }

    package func removeSnapshot(
        _ request: ImageV1.SnapshotKey,
        context: CallContext
    ) async throws -> ImageV1.RemoveSnapshotResponse {
        try await mapped { try await store.removeSnapshot(SnapshotKey(request)) }
        return ImageV1.RemoveSnapshotResponse()
    }

    package func listSnapshots(
        _ request: ImageV1.ListSnapshotsRequest,
        context: CallContext
    ) async throws -> ImageV1.ListSnapshotsResponse {
        let snapshots = try await mapped { try await store.snapshots(of: request.owner) }
        // In the order of their tokens.
        let rest = snapshots.map { (token: "\($0.key)", snapshot: $0) }
            .filter { request.page.isEmpty || $0.token > request.page }
            .sorted { $0.token < $1.token }
        let page = Pages.first(of: rest, token: \.token) { ImageV1.Snapshot($0.snapshot) }
        return ImageV1.ListSnapshotsResponse(snapshots: page.messages, nextPage: page.next)
    }

    package func collectGarbage(
        _ request: ImageV1.CollectGarbageRequest,
        context: CallContext
    ) async throws -> ImageV1.CollectGarbageResponse {
        let garbage = try await mapped { try await store.collectGarbage() }
        return ImageV1.CollectGarbageResponse(
            reclaimedBytes: UInt64(clamping: garbage.reclaimedBytes),
            deleted: garbage.deleted
        )
    }

    package func events(
        _ request: ImageV1.EventsRequest,
        to responses: ResponseWriter<ImageV1.Event>,
        context: CallContext
    ) async throws {
        let position = ImageEventPosition(journal: request.journalId, sequence: request.afterSequence)
        try await mapped {
            try await store.events(after: position) { event in
                try await responses.write(ImageV1.Event(event))
            }
        }
    }

    package func version(_ request: ImageV1.VersionRequest, context: CallContext) async throws
        -> ImageV1.VersionResponse
    {
        let count = try await mapped { try await store.imageCount() }
        let position = try await mapped { try await store.eventPosition() }
        return ImageV1.VersionResponse(
            version: release,
            images: UInt64(count),
            storageDriver: "overlay",
            rootDirectory: store.path,
            journalId: position.journal,
            lastEventSequence: position.sequence
        )
    }
}

/// The core's error as a status.
private func mapped<R>(_ body: () async throws -> R) async throws -> R {
    do {
        return try await body()
    } catch let error as ImageStoreError {
        throw RPCError(error)
    }
}
