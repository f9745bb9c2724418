// SPDX-License-Identifier: Apache-2.0
package import EngineCore
package import Messages
package import RPC
internal import Services

/// Serves `petrel.engine.v1.System`.
package struct SystemHandlers: EngineV1.SystemService {
    private let engine: Engine

    package init(engine: Engine) { self.engine = engine }

    package func version(
        _ request: EngineV1.VersionRequest,
        context: CallContext
    ) async throws -> EngineV1.VersionResponse {
        try await StatusMapping.answering(context) {
            EngineV1.VersionResponse(
                version: engine.version,
                os: "linux",
                architecture: Host.architecture,
                kernel: engine.kernelRelease,
                components: await engine.components()
            )
        }
    }

    package func info(
        _ request: EngineV1.InfoRequest,
        context: CallContext
    ) async throws -> EngineV1.InfoResponse {
        try await StatusMapping.answering(context) {
            EngineV1.InfoResponse(json: try await engine.information())
        }
    }

    package func events(
        _ request: EngineV1.EventsRequest,
        to responses: ResponseWriter<EngineV1.Event>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            var query = Engine.EventQuery(filter: try EventFilter(request.filters))
            query.sinceUnixNanos = request.sinceUnixNanos
            query.untilUnixNanos = request.untilUnixNanos
            query.afterSequence = request.afterSequence
            try await engine.events(query) { event in
                try await responses.write(EngineV1.Event(event))
            }
        }
    }

    package func diskUsage(
        _ request: EngineV1.DiskUsageRequest,
        context: CallContext
    ) async throws -> EngineV1.DiskUsageResponse {
        try await StatusMapping.answering(context) {
            let found = try await engine.diskUsage()
            return EngineV1.DiskUsageResponse(
                images: found.images.map {
                    EngineV1.ImageDiskUsage(
                        image: EngineV1.ImageSummary($0),
                        sharedBytes: found.usage.sharedBytes[$0.image.id] ?? 0
                    )
                },
                layersBytes: found.usage.layersBytes,
                blobsBytes: found.usage.blobsBytes,
                containers: found.containers.map(EngineV1.ContainerSummary.init)
            )
        }
    }
}

extension EngineV1.Event {
    init(_ event: EngineEvent) {
        self.init(
            sequence: event.sequence,
            type: event.type.rawValue,
            action: event.action,
            actorId: event.actor,
            attributes: event.attributes,
            wallUnixNanos: event.wallUnixNanos
        )
    }
}
