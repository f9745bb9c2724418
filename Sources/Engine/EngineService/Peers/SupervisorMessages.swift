// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
internal import Messages

// Messages of the supervisor's protocol to and from the core's values.

extension SupervisedContainer {
    /// Nil for an id that is none.
    init?(_ message: SupervisorV1.Container) {
        guard let id = ContainerID(message.id) else { return nil }
        self.init(id: id, phase: RunPhase(message.phase))
        pid = message.pid
        startedAtUnixNanos = message.startedAtUnixNanos
        exit = message.exit.map(SupervisedExit.init)
        run = message.run
        restartCount = message.restartCount
        removalWanted = message.removalWanted
        outputDirectory = message.outputDirectory
        streamSocket = message.streamSocket
        health = message.health.map(SupervisedHealth.init)
    }
}

extension SupervisedHealth {
    init(_ message: SupervisorV1.Health) {
        self.init(
            status: HealthStatus(message.status),
            failingStreak: message.failingStreak,
            results: message.results.map {
                Result(
                    startedAtUnixNanos: $0.startedAtUnixNanos,
                    endedAtUnixNanos: $0.endedAtUnixNanos,
                    exitCode: $0.exitCode,
                    output: $0.output
                )
            }
        )
    }
}

extension HealthStatus {
    init(_ status: SupervisorV1.Health.Status) {
        switch status {
        case .starting: self = .starting
        case .healthy: self = .healthy
        case .unhealthy: self = .unhealthy
        default: self = .none
        }
    }
}

extension SupervisorV1.HealthCheck {
    init(_ order: HealthOrder) {
        self.init(
            test: order.test,
            intervalMillis: order.intervalMillis,
            timeoutMillis: order.timeoutMillis,
            retries: order.retries,
            startPeriodMillis: order.startPeriodMillis,
            startIntervalMillis: order.startIntervalMillis
        )
    }
}

extension SupervisedUsage {
    /// Nil for an id that is none.
    init?(_ message: SupervisorV1.Usage) {
        guard let id = ContainerID(message.id) else { return nil }
        self.init(id: id)
        pid = message.pid
        processes = message.processes
        cpuNanos = message.cpuNanos
        memoryBytes = message.memoryBytes
        inactiveFileBytes = message.inactiveFileBytes
        memoryLimitBytes = message.memoryLimitBytes
        processCount = message.processCount
        readBytes = message.readBytes
        writtenBytes = message.writtenBytes
        receivedBytes = message.receivedBytes
        sentBytes = message.sentBytes
        bootNanos = message.bootNanos
    }
}

extension RunPhase {
    init(_ phase: SupervisorV1.Phase) {
        switch phase {
        case .running: self = .running
        case .paused: self = .paused
        case .restarting: self = .restarting
        case .exited: self = .exited
        default: self = .created
        }
    }
}

extension SupervisedExit {
    init(_ message: SupervisorV1.ExitStatus) {
        self.init(
            code: message.code,
            signal: message.signal,
            isKnown: message.known,
            outOfMemory: message.oomKilled,
            atUnixNanos: message.exitedAtUnixNanos,
            failure: message.failure
        )
    }
}

extension SupervisedExec {
    init(_ message: SupervisorV1.ExecProcess) {
        self.init(
            isRunning: message.running,
            pid: message.pid,
            exit: message.exit.map(SupervisedExit.init),
            streamSocket: message.streamSocket
        )
    }
}

extension JournalEvent {
    /// Nil for what is about no container.
    init?(_ message: SupervisorV1.Event) {
        guard let container = ContainerID(message.containerId) else { return nil }
        self.init(
            position: JournalPosition(journal: message.journalId, sequence: message.sequence),
            wallUnixNanos: message.wallUnixNanos,
            container: container,
            action: Action(message.action)
        )
        exit = message.exit.map(SupervisedExit.init)
        exec = message.execId
        signal = message.signal
        health = HealthStatus(message.health)
    }
}

extension JournalEvent.Action {
    init(_ action: SupervisorV1.Event.Action) {
        switch action {
        case .create: self = .create
        case .start: self = .start
        case .die: self = .die
        case .oom: self = .outOfMemory
        case .kill: self = .kill
        case .stop: self = .stop
        case .restart: self = .restart
        case .delete: self = .delete
        case .execStart: self = .execStart
        case .execDie: self = .execDie
        case .removalWanted: self = .removalWanted
        case .outputBlocked: self = .outputBlocked
        case .outputResumed: self = .outputResumed
        case .adopted: self = .adopted
        case .pause: self = .pause
        case .unpause: self = .unpause
        case .healthStatus: self = .healthStatus
        case .update: self = .update
        default: self = .unknown
        }
    }
}

extension SupervisorV1.RestartPolicy {
    init(_ policy: ContainerSettings.RestartPolicy) {
        let mode: SupervisorV1.RestartMode =
            switch policy.mode {
            case .no: .no
            case .always: .always
            case .unlessStopped: .unlessStopped
            case .onFailure: .onFailure
            }
        self.init(mode: mode, maximumRetries: policy.maximumRetries)
    }
}

extension SupervisorV1.WaitRequest.Condition {
    init(_ condition: WaitCondition) {
        switch condition {
        case .notRunning: self = .notRunning
        case .nextExit: self = .nextExit
        case .removed: self = .removed
        }
    }
}

extension CommonV1.Mount {
    init(_ mount: RootMount) {
        self.init(type: mount.type, source: mount.source, target: mount.target, options: mount.options)
    }
}

extension RootMount {
    init(_ message: CommonV1.Mount) {
        self.init(
            type: message.type,
            source: message.source,
            target: message.target,
            options: message.options
        )
    }
}
