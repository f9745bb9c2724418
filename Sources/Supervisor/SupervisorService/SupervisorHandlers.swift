// SPDX-License-Identifier: Apache-2.0
package import Messages
package import RPC
internal import Services
package import SupervisorCore
internal import System

/// `petrel.supervisor.v1.Supervisor` over the core: requests are checked and turned into its values, answers
/// back.
package struct SupervisorHandlers: SupervisorV1.SupervisorService {
    /// The methods that hold up no thread: what waits for the disk has threads of its own.
    package static let quick = Set(
        [
            "Create", "Start", "Stop", "Kill", "Pause", "Unpause", "Delete", "Get", "List", "Wait", "Exec",
            "GetExec",
            "WaitExec", "KillExec", "ResizeTerminal", "Events", "AcknowledgeEvents", "Version",
        ].map { "petrel.supervisor.v1.Supervisor/" + $0 }
    )

    let supervisor: Supervisor
    private let release: String

    package init(supervisor: Supervisor, release: String) {
        self.supervisor = supervisor
        self.release = release
    }

    package func create(
        _ request: SupervisorV1.CreateRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            if !request.startKey.isEmpty { try Check.name(request.startKey, field: "start_key") }
            return SupervisorV1.Container(
                try await supervisor.create(
                    try ContainerRequest(checking: request),
                    startKey: request.startKey,
                    isProvisional: request.provisional
                )
            )
        }
    }

    package func keep(
        _ request: SupervisorV1.KeepRequest,
        context: CallContext
    ) async throws -> SupervisorV1.KeepResponse {
        try await mapped { try await supervisor.keep(request.id, owner: request.owner) }
        return SupervisorV1.KeepResponse()
    }

    package func start(
        _ request: SupervisorV1.StartRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            if !request.key.isEmpty { try Check.name(request.key, field: "key") }
            let container = try await supervisor.container(request.id, owner: request.owner)
            return SupervisorV1.Container(try await container.start(key: request.key))
        }
    }

    package func stop(
        _ request: SupervisorV1.StopRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            try Check.signal(request.signal, orZero: true)
            let container = try await supervisor.container(request.id, owner: request.owner)
            return SupervisorV1.Container(
                try await container.stop(signal: request.signal, timeoutMillis: request.timeoutMillis)
            )
        }
    }

    package func kill(
        _ request: SupervisorV1.KillRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            try Check.signal(request.signal, orZero: false)
            let container = try await supervisor.container(request.id, owner: request.owner)
            return SupervisorV1.Container(try await container.kill(signal: request.signal, all: request.all))
        }
    }

    package func pause(
        _ request: SupervisorV1.PauseRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            let container = try await supervisor.container(request.id, owner: request.owner)
            return SupervisorV1.Container(try await container.pause())
        }
    }

    package func unpause(
        _ request: SupervisorV1.PauseRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            let container = try await supervisor.container(request.id, owner: request.owner)
            return SupervisorV1.Container(try await container.unpause())
        }
    }

    package func update(
        _ request: SupervisorV1.UpdateRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            let policy = try request.restartPolicy.map { policy throws(SupervisorError) in
                try RestartPolicy(checking: policy)
            }
            let container = try await supervisor.container(request.id, owner: request.owner)
            return SupervisorV1.Container(
                try await container.update(resources: request.resourcesJson, policy: policy)
            )
        }
    }

    package func usage(
        _ request: SupervisorV1.UsageRequest,
        context: CallContext
    ) async throws -> SupervisorV1.UsageResponse {
        try await mapped {
            guard request.ids.count <= 4096 else {
                throw SupervisorError.invalidField(name: "ids", reason: "more than 4096")
            }
            var usages: [SupervisorV1.Usage] = []
            for id in request.ids {
                guard let container = try? await supervisor.container(id, owner: request.owner) else {
                    continue
                }
                if let usage = await container.usage() { usages.append(SupervisorV1.Usage(usage)) }
            }
            return SupervisorV1.UsageResponse(usages: usages)
        }
    }

    package func delete(
        _ request: SupervisorV1.DeleteRequest,
        context: CallContext
    ) async throws -> SupervisorV1.DeleteResponse {
        try await mapped {
            let exit = try await supervisor.delete(
                request.id,
                owner: request.owner,
                isForced: request.force,
                isFinal: request.final
            )
            return SupervisorV1.DeleteResponse(exit: exit.map(SupervisorV1.ExitStatus.init))
        }
    }

    package func get(
        _ request: SupervisorV1.GetRequest,
        context: CallContext
    ) async throws -> SupervisorV1.Container {
        try await mapped {
            let container = try await supervisor.container(request.id, owner: request.owner)
            return SupervisorV1.Container(await container.snapshot)
        }
    }

    package func list(
        _ request: SupervisorV1.ListRequest,
        context: CallContext
    ) async throws -> SupervisorV1.ListResponse {
        let list = await supervisor.list(owner: request.owner)
        return SupervisorV1.ListResponse(
            containers: list.containers.map(SupervisorV1.Container.init(listing:)),
            sequence: list.sequence,
            journalId: supervisor.surroundings.journal.id
        )
    }

    package func wait(
        _ request: SupervisorV1.WaitRequest,
        context: CallContext
    ) async throws -> SupervisorV1.WaitResponse {
        try await mapped {
            let condition: Container.WaitCondition =
                switch request.condition {
                case .notRunning: .notRunning
                case .nextExit: .nextExit
                case .removed: .removed
                default: throw SupervisorError.invalidField(name: "condition", reason: "not known")
                }
            let exit = try await supervisor.wait(request.id, owner: request.owner, condition)
            return SupervisorV1.WaitResponse(exit: SupervisorV1.ExitStatus(exit))
        }
    }

    // MARK: - Processes beside init

    package func exec(
        _ request: SupervisorV1.ExecRequest,
        context: CallContext
    ) async throws -> SupervisorV1.ExecProcess {
        try await mapped {
            let order = try ExecOrder(checking: request)
            let container = try await supervisor.container(request.containerId, owner: request.owner)
            return SupervisorV1.ExecProcess(try await container.exec(order))
        }
    }

    package func getExec(
        _ request: SupervisorV1.GetExecRequest,
        context: CallContext
    ) async throws -> SupervisorV1.ExecProcess {
        try await mapped {
            let container = try await supervisor.container(request.containerId, owner: request.owner)
            return SupervisorV1.ExecProcess(try await container.exec(request.execId))
        }
    }

    package func waitExec(
        _ request: SupervisorV1.GetExecRequest,
        context: CallContext
    ) async throws -> SupervisorV1.ExecProcess {
        try await mapped {
            let container = try await supervisor.container(request.containerId, owner: request.owner)
            return SupervisorV1.ExecProcess(try await container.waitForExec(request.execId))
        }
    }

    package func killExec(
        _ request: SupervisorV1.KillExecRequest,
        context: CallContext
    ) async throws -> SupervisorV1.ExecProcess {
        try await mapped {
            try Check.signal(request.signal, orZero: false)
            let container = try await supervisor.container(request.containerId, owner: request.owner)
            return SupervisorV1.ExecProcess(
                try await container.killExec(request.execId, signal: request.signal)
            )
        }
    }

    package func resizeTerminal(
        _ request: SupervisorV1.ResizeTerminalRequest,
        context: CallContext
    ) async throws -> SupervisorV1.ResizeTerminalResponse {
        try await mapped {
            guard request.columns <= 65_535, request.rows <= 65_535 else {
                throw SupervisorError.invalidField(name: "columns", reason: "at most 65535 columns and rows")
            }
            let container = try await supervisor.container(request.containerId, owner: request.owner)
            try await container.resizeTerminal(
                exec: request.execId,
                columns: request.columns,
                rows: request.rows
            )
            return SupervisorV1.ResizeTerminalResponse()
        }
    }

    // MARK: - Events

    package func events(
        _ request: SupervisorV1.EventsRequest,
        to responses: ResponseWriter<SupervisorV1.Event>,
        context: CallContext
    ) async throws {
        try await mapped {
            let journal = supervisor.surroundings.journal
            var cursor = try await journal.cursor(after: request.afterSequence, journal: request.journalId)
            while true {
                let batch = try await journal.next(cursor)
                for event in batch.events where request.owner.isEmpty || event.owner == request.owner {
                    try await responses.write(SupervisorV1.Event(event, journal: journal.id))
                }
                cursor = batch.cursor
            }
        }
    }

    package func acknowledgeEvents(
        _ request: SupervisorV1.AcknowledgeEventsRequest,
        context: CallContext
    ) async throws -> SupervisorV1.AcknowledgeEventsResponse {
        try await mapped {
            try Check.name(request.owner, field: "owner")
            try await supervisor.surroundings.journal.acknowledge(
                owner: request.owner,
                sequence: request.sequence,
                journal: request.journalId
            )
            return SupervisorV1.AcknowledgeEventsResponse()
        }
    }

    package func version(
        _ request: SupervisorV1.VersionRequest,
        context: CallContext
    ) async throws -> SupervisorV1.VersionResponse {
        SupervisorV1.VersionResponse(
            version: release,
            bootId: supervisor.surroundings.bootID,
            cgroupLayout: supervisor.surroundings.cgroupLayoutName
        )
    }

    func mapped<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as SupervisorError {
            throw RPCError(error)
        } catch let error as SystemError {
            throw RPCError(SupervisorError.system(error))
        }
    }
}
