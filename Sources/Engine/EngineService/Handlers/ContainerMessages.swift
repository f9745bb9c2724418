// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
internal import Messages

// Messages of the engine's own protocol to and from the core's values.

extension ContainerSettings {
    /// - Throws: for a restart policy or network that is none.
    init(_ config: EngineV1.ContainerConfig) throws(EngineError) {
        self.init()
        image = config.image
        entrypoint = config.entrypointSet || !config.entrypoint.isEmpty ? config.entrypoint : nil
        command = config.command
        environment = config.environment
        workingDirectory = config.workingDirectory
        user = config.user
        hostname = config.hostname
        labels = config.labels
        binds = config.volumes.map(Bind.init)
        restart = try RestartPolicy(
            name: config.restartPolicy?.name ?? "",
            maximumRetries: config.restartPolicy?.maximumRetries ?? 0
        )
        limits = Limits(
            memoryBytes: config.limits?.memoryBytes ?? 0,
            nanoCPUs: config.limits?.nanoCpus ?? 0,
            processes: config.limits?.pids ?? 0
        )
        capabilitiesAdded = config.capabilitiesAdded
        capabilitiesDropped = config.capabilitiesDropped
        isPrivileged = config.privileged
        network = try NetworkMode(name: config.network)
        autoRemove = config.autoRemove
        hasTerminal = config.terminal
        opensStdin = config.openStdin
        stdinOnce = config.stdinOnce
        stopSignal = config.stopSignal
        stopTimeoutSeconds = config.stopTimeoutSeconds
        readOnlyRoot = config.readOnlyRoot
    }
}

extension ContainerSettings.Bind {
    init(_ volume: EngineV1.Volume) {
        self.init(
            source: volume.source,
            target: volume.target,
            readOnly: volume.readOnly,
            propagation: volume.propagation,
            createSource: volume.createSource
        )
    }
}

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
            network: summary.network
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
