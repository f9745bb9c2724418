// SPDX-License-Identifier: Apache-2.0
package import EngineCore
package import Messages
package import RPC
internal import Services

/// Serves `petrel.engine.v1.Images`: passes on to the image store.
package struct ImageHandlers: EngineV1.ImagesService {
    private let engine: Engine
    private let store: ImageStorePeer
    private let calls = PeerCalls(daemon: "image store")

    package init(engine: Engine, store: ImageStorePeer) {
        self.engine = engine
        self.store = store
    }

    package func load(
        _ requests: RequestStream<EngineV1.LoadRequest>,
        to responses: ResponseWriter<EngineV1.ProgressResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            try await store.client.load(options: CallDeadline.patientOptions) { archive, progress in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    defer { group.cancelAll() }
                    // Each side suspends for as long as the other is busy, so nothing piles up here.
                    group.addTask {
                        while let request = try await requests.next() {
                            try await archive.write(
                                ImageV1.LoadRequest(data: request.data, platform: request.platform)
                            )
                        }
                        archive.finish()
                        return false
                    }
                    group.addTask {
                        while let response = try await progress.next() {
                            try await pass(response, to: responses)
                        }
                        return true
                    }
                    // The store's last word ends the call, also when it has not read all of a bad archive.
                    while let isLast = try await group.next(), !isLast {}
                }
            }
        }
    }

    package func pull(
        _ request: EngineV1.PullRequest,
        to responses: ResponseWriter<EngineV1.ProgressResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            let pull = ImageV1.PullRequest(reference: request.reference, platform: request.platform)
            let progress = try await store.client.pull(pull, options: CallDeadline.patientOptions)
            while let response = try await progress.next() {
                switch response.body {
                case .progress(let step): try await responses.write(EngineV1.ProgressResponse(step))
                case .image(let image):
                    try await responses.write(EngineV1.ProgressResponse(image, response))
                case nil: continue
                }
            }
        }
    }

    package func list(
        _ request: EngineV1.ListImagesRequest,
        context: CallContext
    ) async throws -> EngineV1.ListImagesResponse {
        try await StatusMapping.answering(context) {
            let found = try await engine.images(matching: request.reference, filters: request.filters)
            let page = try NewestFirst.page(of: found, after: request.page) {
                NewestFirst(createdAtUnixNanos: $0.image.createdAtUnixNanos, id: $0.image.id)
            } _: {
                EngineV1.ImageSummary($0)
            }
            return EngineV1.ListImagesResponse(images: page.messages, nextPage: page.next)
        }
    }

    package func inspect(
        _ request: EngineV1.InspectRequest,
        context: CallContext
    ) async throws -> EngineV1.InspectResponse {
        try await StatusMapping.answering(context) {
            EngineV1.InspectResponse(
                json: try await engine.inspectImage(request.object, platform: request.platform)
            )
        }
    }

    package func remove(
        _ request: EngineV1.RemoveImageRequest,
        context: CallContext
    ) async throws -> EngineV1.RemoveImageResponse {
        try await StatusMapping.answering(context) {
            let removal = try await engine.removeImage(
                request.reference,
                force: request.force,
                platform: request.platform
            )
            return EngineV1.RemoveImageResponse(untagged: removal.untagged, deleted: removal.deleted)
        }
    }

    package func tag(
        _ request: EngineV1.TagImageRequest,
        context: CallContext
    ) async throws -> EngineV1.TagImageResponse {
        try await StatusMapping.answering(context) {
            try await engine.tagImage(request.source, as: request.target)
            return EngineV1.TagImageResponse()
        }
    }

    package func history(
        _ request: EngineV1.ImageHistoryRequest,
        context: CallContext
    ) async throws -> EngineV1.ImageHistoryResponse {
        try await StatusMapping.answering(context) {
            let (image, steps) = try await engine.history(of: request.image, platform: request.platform)
            return EngineV1.ImageHistoryResponse(
                steps: steps.enumerated().map { index, step in
                    EngineV1.ImageHistoryStep(
                        imageId: index == 0 ? image.id : "",
                        createdAtUnixNanos: step.createdAtUnixNanos,
                        createdBy: step.createdBy,
                        sizeBytes: step.sizeBytes,
                        comment: step.comment,
                        references: index == 0 ? image.references : []
                    )
                }
            )
        }
    }

    package func prune(
        _ request: EngineV1.PruneImagesRequest,
        context: CallContext
    ) async throws -> EngineV1.PruneImagesResponse {
        try await StatusMapping.answering(context) {
            let pruned = try await engine.pruneImages(all: request.all, filters: request.filters)
            return EngineV1.PruneImagesResponse(
                untagged: pruned.untagged,
                deleted: pruned.deleted,
                reclaimedBytes: pruned.reclaimedBytes
            )
        }
    }

    private func pass(
        _ response: ImageV1.LoadResponse,
        to responses: ResponseWriter<EngineV1.ProgressResponse>
    ) async throws {
        switch response.body {
        case .progress(let step): try await responses.write(EngineV1.ProgressResponse(step))
        case .image(let image):
            try await responses.write(EngineV1.ProgressResponse(image, response))
        case nil: break
        }
    }
}

extension EngineV1.ProgressResponse {
    init(_ progress: ImageV1.Progress) {
        self.init(
            id: Self.short(progress.id),
            status: progress.status,
            currentBytes: progress.currentBytes,
            totalBytes: progress.totalBytes
        )
    }

    init(_ image: ImageV1.Image, _ response: ImageV1.LoadResponse) {
        self.init(
            status: "complete",
            imageId: image.id,
            references: response.references,
            manifestDigest: image.manifestDigest,
            unchanged: image.unchanged
        )
    }

    init(_ image: ImageV1.Image, _ response: ImageV1.PullResponse) {
        self.init(
            status: "complete",
            imageId: image.id,
            references: [response.reference],
            manifestDigest: response.digest,
            unchanged: image.unchanged,
            fullReference: response.fullReference
        )
    }

    /// The first 12 digits of a digest; anything else as it is.
    private static func short(_ id: String) -> String {
        let prefix = "sha256:"
        guard id.hasPrefix(prefix) else { return id }
        return String(id.dropFirst(prefix.count).prefix(12))
    }
}

extension EngineV1.ImageSummary {
    init(_ use: Engine.ImageUse) {
        self.init(
            id: use.image.id,
            references: use.image.references,
            repositoryDigests: use.image.repositoryDigests,
            createdAtUnixNanos: use.image.createdAtUnixNanos,
            sizeBytes: use.image.sizeBytes,
            containers: use.containers,
            damaged: use.image.isDamaged
        )
    }
}
