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
            health: summary.health == .none ? "" : summary.health.rawValue
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
    }
}

extension ExecSettings {
    init(_ start: EngineV1.ExecStart) {
        self.init()
        command = start.command
        environment = start.environment
        workingDirectory = start.workingDirectory
        user = start.user
        isPrivileged = start.privileged
        hasTerminal = start.terminal
        opensStdin = start.openStdin
        isDetached = start.detached
    }
}

extension EngineV1.ExecResponse {
    init(_ notice: Engine.ExecNotice) {
        switch notice {
        case .started(let id): self.init(body: .started(EngineV1.ExecStarted(execId: id)))
        case .output(let stream, let bytes):
            self.init(body: .output(EngineV1.ExecOutput(stream: stream, data: bytes)))
        case .exit(let code, let error):
            self.init(body: .exit(EngineV1.ExecExit(exitCode: code, error: error)))
        }
    }
}
