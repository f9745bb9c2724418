// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
internal import Messages

// Messages of the engine's own protocol to and from the core's values.

extension EngineV1.ContainerSummary {
    init(_ summary: Engine.Summary) {
        self.init(
            id: summary.id.text,
            name: summary.name,
            image: summary.image,
            imageId: summary.imageID,
            command: summary.command,
            createdAtUnixNanos: summary.createdAtUnixNanos,
            state: summary.status.rawValue,
            startedAtUnixNanos: summary.startedAtUnixNanos,
            finishedAtUnixNanos: summary.finishedAtUnixNanos,
            exitCode: summary.exitCode,
            labels: summary.labels,
            mounts: summary.mounts,
            network: summary.network,
            health: summary.health == .none ? "" : summary.health.rawValue,
            writtenBytes: summary.written?.bytes ?? 0,
            rootBytes: summary.written.map { $0.bytes + $0.layersBytes } ?? 0
        )
    }
}

extension OutputQuery {
    init(_ request: EngineV1.LogsRequest) {
        self.init()
        follows = request.follow
        // Neither asked for: both, which is what a client that does not care means.
        standardOutput = request.stdout || !request.stderr
        standardError = request.stderr || !request.stdout
        tail = request.tail
        sinceUnixNanos = request.sinceUnixNanos
        untilUnixNanos = request.untilUnixNanos
        timestamps = request.timestamps
        after = request.afterPosition
        untilRunEnds = request.untilRunEnds
        fromEnd = request.fromEnd
        details = request.details
    }
}

extension EngineV1.LogsResponse {
    init(_ chunk: OutputChunk) {
        self.init(
            data: chunk.bytes,
            stream: chunk.stream,
            position: chunk.position,
            skippedBytes: chunk.skippedBytes,
            end: chunk.isEnd
        )
    }
}

extension ExecSettings {
    /// - Throws: for a size that no terminal has.
    init(_ start: EngineV1.ExecStart) throws(EngineError) {
        self.init()
        command = start.command
        environment = start.environment
        workingDirectory = start.workingDirectory
        user = start.user
        isPrivileged = start.privileged
        hasTerminal = start.terminal
        opensStdin = start.openStdin
        isDetached = start.detached
        consoleSize = try start.consoleSize.map(ConsoleSize.init)
    }
}

extension ConsoleSize {
    init(_ size: EngineV1.ConsoleSize) throws(EngineError) {
        try self.init(columns: size.columns, rows: size.rows)
    }
}

extension Engine.StreamInput {
    /// nil: nothing that is said after the first request.
    init?(_ request: EngineV1.ExecRequest) {
        switch request.body {
        case .stdin(let bytes): self = .bytes(bytes)
        case .closeStdin: self = .end
        case .acknowledge(let positions):
            self = .acknowledged(
                StreamPositions(output: positions.stdoutPosition, error: positions.stderrPosition)
            )
        case .start, .resume, nil: return nil
        }
    }

    init?(_ request: EngineV1.AttachRequest) {
        switch request.body {
        case .stdin(let bytes): self = .bytes(bytes)
        case .closeStdin: self = .end
        case .start, nil: return nil
        }
    }
}

extension EngineV1.ExecResponse {
    init(_ notice: Engine.ExecNotice) {
        switch notice {
        case .started(let id): self.init(body: .started(EngineV1.ExecStarted(execId: id)))
        case .output(let stream, let bytes):
            self.init(body: .output(EngineV1.ExecOutput(stream: stream, data: bytes)))
        case .input(let accepted): self.init(body: .input(EngineV1.InputState(acceptedPosition: accepted)))
        case .exit(let code, let error):
            self.init(body: .exit(EngineV1.ExecExit(exitCode: code, error: error)))
        }
    }
}

extension EngineV1.AttachResponse {
    init(_ notice: Engine.AttachNotice) {
        switch notice {
        case .started(let run): self.init(body: .started(EngineV1.AttachStarted(run: run)))
        case .input(let accepted): self.init(body: .input(EngineV1.InputState(acceptedPosition: accepted)))
        }
    }
}
