// SPDX-License-Identifier: Apache-2.0
package import EngineCore
package import Messages
package import RPC
internal import Services

/// Serves `petrel.engine.v1.Containers`.
package struct ContainerHandlers: EngineV1.ContainersService {
    /// The methods that hold up no thread.
    package static let quick = Set(
        [
            "Create", "Start", "Stop", "Kill", "Remove", "Wait", "List", "Inspect", "Exec", "Attach", "Pause",
            "Unpause",
            "Rename", "ResizeTerminal",
        ].map { "petrel.engine.v1.Containers/" + $0 }
    )

    let engine: Engine

    package init(engine: Engine) { self.engine = engine }

    package func create(
        _ request: EngineV1.CreateRequest,
        context: CallContext
    ) async throws -> EngineV1.CreateResponse {
        try await StatusMapping.answering(context) {
            let settings = try ContainerSettings(request.config ?? EngineV1.ContainerConfig())
            let launch = request.start ? Engine.Launch(wantsOutput: request.outputWanted) : nil
            let made = try await engine.create(
                name: request.name,
                settings: settings,
                key: request.key,
                launch: launch
            )
            return EngineV1.CreateResponse(
                id: made.id.text,
                name: made.name,
                warnings: made.warnings,
                started: launch != nil
            )
        }
    }

    package func start(
        _ request: EngineV1.StartRequest,
        context: CallContext
    ) async throws -> EngineV1.StartResponse {
        try await StatusMapping.answering(context) {
            let id = try await engine.start(
                request.container,
                key: request.key,
                isRestart: request.restarted
            )
            return EngineV1.StartResponse(id: id.text)
        }
    }

    package func stop(
        _ request: EngineV1.StopRequest,
        context: CallContext
    ) async throws -> EngineV1.StopResponse {
        try await StatusMapping.answering(context) {
            let id = try await engine.stop(
                request.container,
                timeoutSeconds: request.timeoutSeconds,
                signal: request.signal
            )
            return EngineV1.StopResponse(id: id.text)
        }
    }

    package func kill(
        _ request: EngineV1.KillRequest,
        context: CallContext
    ) async throws -> EngineV1.KillResponse {
        try await StatusMapping.answering(context) {
            let id = try await engine.kill(request.container, signal: request.signal)
            return EngineV1.KillResponse(id: id.text)
        }
    }

    package func remove(
        _ request: EngineV1.RemoveRequest,
        context: CallContext
    ) async throws -> EngineV1.RemoveResponse {
        try await StatusMapping.answering(context) {
            let id = try await engine.remove(request.container, force: request.force)
            return EngineV1.RemoveResponse(id: id.text)
        }
    }

    package func wait(
        _ request: EngineV1.WaitRequest,
        context: CallContext
    ) async throws -> EngineV1.WaitResponse {
        try await StatusMapping.answering(context) {
            let condition = try WaitCondition(name: request.condition)
            let exit = try await engine.wait(request.container, until: condition)
            let error = exit.isKnown ? exit.failure : "the exit code is not known"
            return EngineV1.WaitResponse(exitCode: exit.code, error: error)
        }
    }

    package func list(
        _ request: EngineV1.ListRequest,
        context: CallContext
    ) async throws -> EngineV1.ListResponse {
        try await StatusMapping.answering(context) {
            let found = try await engine.list(
                all: request.all,
                filters: request.filters,
                sizes: request.size
            )
            let page = try NewestFirst.page(of: found, after: request.page) {
                NewestFirst(createdAtUnixNanos: $0.createdAtUnixNanos, id: $0.id.text)
            } _: {
                EngineV1.ContainerSummary($0)
            }
            return EngineV1.ListResponse(containers: page.messages, nextPage: page.next)
        }
    }

    package func inspect(
        _ request: EngineV1.InspectRequest,
        context: CallContext
    ) async throws -> EngineV1.InspectResponse {
        try await StatusMapping.answering(context) {
            EngineV1.InspectResponse(
                json: try await engine.inspectContainer(request.object, sizes: request.size)
            )
        }
    }

    package func logs(
        _ request: EngineV1.LogsRequest,
        to responses: ResponseWriter<EngineV1.LogsResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            try await engine.output(of: request.container, OutputQuery(request)) { chunk in
                try await responses.write(EngineV1.LogsResponse(chunk))
            }
        }
    }

    package func follow(
        _ requests: RequestStream<EngineV1.FollowRequest>,
        to responses: ResponseWriter<EngineV1.LogsResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            guard case .start(let start)? = try await requests.next()?.body else {
                throw EngineError.invalidField("body", "the first request of a follow must be start")
            }
            let receipts: @Sendable () async throws -> String? = {
                guard let request = try await requests.next() else { return nil }
                guard case .receivedPosition(let position) = request.body else {
                    throw EngineError.invalidField("body", "only receipts follow the start")
                }
                return position
            }
            try await engine.heldOutput(of: start.container, OutputQuery(start), receipts) { chunk in
                try await responses.write(EngineV1.LogsResponse(chunk))
            }
        }
    }

    package func exec(
        _ requests: RequestStream<EngineV1.ExecRequest>,
        to responses: ResponseWriter<EngineV1.ExecResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            let input: @Sendable () async throws -> Engine.StreamInput? = {
                while let request = try await requests.next() {
                    if let input = Engine.StreamInput(request) { return input }
                }
                return nil
            }
            let receive: @Sendable (Engine.ExecNotice) async throws -> Void = { notice in
                try await responses.write(EngineV1.ExecResponse(notice))
            }
            switch try await requests.next()?.body {
            case .start(let start):
                try await engine.exec(
                    in: start.container,
                    as: start.execId,
                    try ExecSettings(start),
                    input: input,
                    receive: receive
                )
            case .resume(let resume):
                try await engine.resumeExec(
                    resume.execId,
                    of: resume.container,
                    from: StreamPositions(output: resume.stdoutPosition, error: resume.stderrPosition),
                    input: input,
                    receive: receive
                )
            default:
                throw EngineError.invalidField("body", "the first request of an exec must be start or resume")
            }
        }
    }

    package func attach(
        _ requests: RequestStream<EngineV1.AttachRequest>,
        to responses: ResponseWriter<EngineV1.AttachResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            guard case .start(let start)? = try await requests.next()?.body else {
                throw EngineError.invalidField("body", "the first request of an attach must be start")
            }
            let input: @Sendable () async throws -> Engine.StreamInput? = {
                while let request = try await requests.next() {
                    if let input = Engine.StreamInput(request) { return input }
                }
                return nil
            }
            try await engine.attach(to: start.container, run: start.run, input: input) { notice in
                try await responses.write(EngineV1.AttachResponse(notice))
            }
        }
    }

    package func resizeTerminal(
        _ request: EngineV1.ResizeTerminalRequest,
        context: CallContext
    ) async throws -> EngineV1.ResizeTerminalResponse {
        try await StatusMapping.answering(context) {
            let size = try ConsoleSize(columns: request.size?.columns ?? 0, rows: request.size?.rows ?? 0)
            try await engine.resizeTerminal(of: request.container, exec: request.execId, to: size)
            return EngineV1.ResizeTerminalResponse()
        }
    }
}
