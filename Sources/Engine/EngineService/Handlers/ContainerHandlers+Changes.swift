// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
package import Messages
package import RPC
internal import Services

extension ContainerHandlers {
    package func pause(
        _ request: EngineV1.PauseRequest,
        context: CallContext
    ) async throws -> EngineV1.PauseResponse {
        try await StatusMapping.answering(context) {
            EngineV1.PauseResponse(id: try await engine.pause(request.container).text)
        }
    }

    package func unpause(
        _ request: EngineV1.PauseRequest,
        context: CallContext
    ) async throws -> EngineV1.PauseResponse {
        try await StatusMapping.answering(context) {
            EngineV1.PauseResponse(id: try await engine.unpause(request.container).text)
        }
    }

    package func rename(
        _ request: EngineV1.RenameRequest,
        context: CallContext
    ) async throws -> EngineV1.RenameResponse {
        try await StatusMapping.answering(context) {
            EngineV1.RenameResponse(id: try await engine.rename(request.container, to: request.name).text)
        }
    }

    package func update(
        _ request: EngineV1.UpdateRequest,
        context: CallContext
    ) async throws -> EngineV1.UpdateResponse {
        try await StatusMapping.answering(context) {
            let restart = try request.restartPolicy.map { policy throws(EngineError) in
                try ContainerSettings.RestartPolicy(
                    name: policy.name,
                    maximumRetries: policy.maximumRetries
                )
            }
            let update = ContainerUpdate(limits: LimitsChange(request), restart: restart)
            let (id, warnings) = try await engine.update(request.container, update)
            return EngineV1.UpdateResponse(id: id.text, warnings: warnings)
        }
    }

    package func prune(
        _ request: EngineV1.PruneRequest,
        context: CallContext
    ) async throws -> EngineV1.PruneResponse {
        try await StatusMapping.answering(context) {
            let pruned = try await engine.prune(filters: request.filters)
            return EngineV1.PruneResponse(
                ids: pruned.ids.map(\.text),
                reclaimedBytes: pruned.reclaimedBytes
            )
        }
    }

    package func top(
        _ request: EngineV1.TopRequest,
        context: CallContext
    ) async throws -> EngineV1.TopResponse {
        try await StatusMapping.answering(context) {
            let table = try await engine.top(request.container, arguments: request.arguments)
            return EngineV1.TopResponse(
                titles: table.titles,
                rows: table.rows.map { EngineV1.TopRow(cells: $0) }
            )
        }
    }

    package func diff(
        _ request: EngineV1.DiffRequest,
        to responses: ResponseWriter<EngineV1.DiffResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            try await engine.diff(of: request.container) { changes in
                let messages = changes.map {
                    EngineV1.FileChange(
                        kind: EngineV1.FileChange.Kind(rawValue: Int32($0.kind.rawValue)),
                        path: $0.path
                    )
                }
                try await responses.write(EngineV1.DiffResponse(changes: messages))
            }
        }
    }

    package func stats(
        _ request: EngineV1.StatsRequest,
        to responses: ResponseWriter<EngineV1.StatsResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            try await engine.stats(of: request.containers, all: request.all, once: request.once) { usages in
                let containers = usages.map(EngineV1.ContainerStats.init)
                try await responses.write(EngineV1.StatsResponse(containers: containers))
            }
        }
    }
}

extension LimitsChange {
    fileprivate init(_ request: EngineV1.UpdateRequest) {
        func given(_ number: Int64) -> Int64? { number == 0 ? nil : number }
        self.init()
        memoryBytes = given(request.memoryBytes)
        memorySwapBytes = given(request.memorySwapBytes)
        memoryReservationBytes = given(request.memoryReservationBytes)
        nanoCPUs = given(request.nanoCpus)
        cpuShares = given(request.cpuShares)
        cpuPeriodMicros = given(request.cpuPeriodMicros)
        cpuQuotaMicros = given(request.cpuQuotaMicros)
        cpusetCPUs = request.cpusetCpus.isEmpty ? nil : request.cpusetCpus
        cpusetMemories = request.cpusetMems.isEmpty ? nil : request.cpusetMems
        processes = given(request.pids)
        blockWeight = given(Int64(request.blkioWeight))
    }
}

extension EngineV1.ContainerStats {
    fileprivate init(_ usage: Engine.Usage) {
        let counted = usage.counted
        self.init(
            id: usage.id.text,
            name: usage.name,
            running: counted != nil,
            cpuPercent: usage.cpuPercent,
            memoryBytes: usage.memoryBytes,
            memoryLimitBytes: usage.memoryLimitBytes,
            receivedBytes: counted?.receivedBytes ?? 0,
            sentBytes: counted?.sentBytes ?? 0,
            readBytes: counted?.readBytes ?? 0,
            writtenBytes: counted?.writtenBytes ?? 0,
            processes: counted?.processCount ?? 0
        )
    }
}
