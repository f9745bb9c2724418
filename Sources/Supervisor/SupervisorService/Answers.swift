// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import Messages
internal import SupervisorCore

/// The core's values as messages.
extension SupervisorV1.Container {
    init(_ snapshot: ContainerSnapshot) {
        let request = snapshot.request
        let lifecycle = snapshot.lifecycle
        self.init(
            id: request.id.text,
            owner: request.owner,
            key: request.key,
            phase: SupervisorV1.Phase(lifecycle),
            pid: UInt32(lifecycle.pid),
            createdAtUnixNanos: lifecycle.createdAtUnixNanos,
            startedAtUnixNanos: lifecycle.startedAtUnixNanos,
            exit: lifecycle.exit.map(SupervisorV1.ExitStatus.init),
            run: lifecycle.run,
            restartCount: lifecycle.restartCount,
            manuallyStopped: lifecycle.isManuallyStopped,
            removalWanted: lifecycle.isRemovalWanted,
            restartPolicy: SupervisorV1.RestartPolicy(lifecycle.policy),
            outputDirectory: snapshot.directory.outputPath,
            streamSocket: snapshot.directory.streamSocket,
            keeperPid: UInt32(snapshot.keeperPid),
            annotations: request.annotations,
            terminal: snapshot.isTerminal,
            autoRemove: request.isAutoRemoved,
            health: request.healthCheck != nil && lifecycle.hasRun
                ? SupervisorV1.Health(lifecycle.health) : nil
        )
    }

    /// As in a list: without the output of probes.
    init(listing snapshot: ContainerSnapshot) {
        self.init(snapshot)
        health?.results = []
    }
}

extension SupervisorV1.Health {
    fileprivate init(_ health: Health) {
        self.init(
            status: SupervisorV1.Health.Status(health.status),
            failingStreak: health.failingStreak,
            results: health.results.map {
                SupervisorV1.HealthResult(
                    startedAtUnixNanos: $0.startedAtUnixNanos,
                    endedAtUnixNanos: $0.endedAtUnixNanos,
                    exitCode: $0.exitCode,
                    output: $0.output
                )
            }
        )
    }
}

extension SupervisorV1.Health.Status {
    fileprivate init(_ status: Health.Status) { self.init(rawValue: Int32(status.rawValue)) }
}

extension SupervisorV1.Usage {
    init(_ usage: ContainerUsage) {
        let counted = usage.counted
        self.init(
            id: usage.id.text,
            processes: usage.processes.map { UInt32($0) },
            cpuNanos: counted.cpuNanos,
            cpuUserNanos: counted.cpuUserNanos,
            cpuSystemNanos: counted.cpuSystemNanos,
            memoryBytes: counted.memoryBytes,
            inactiveFileBytes: counted.inactiveFileBytes,
            memoryLimitBytes: counted.memoryLimitBytes,
            processCount: counted.processes,
            processLimit: counted.processLimit,
            readBytes: counted.readBytes,
            writtenBytes: counted.writtenBytes,
            receivedBytes: usage.network.receivedBytes,
            sentBytes: usage.network.sentBytes,
            receivedPackets: usage.network.receivedPackets,
            sentPackets: usage.network.sentPackets,
            pid: UInt32(usage.pid),
            bootNanos: usage.moment.bootNanos,
            wallUnixNanos: usage.moment.wallUnixNanos
        )
    }
}

extension SupervisorV1.Phase {
    /// A start that is on its way shows as what was before it.
    fileprivate init(_ lifecycle: Lifecycle) {
        self =
            switch lifecycle.phase {
            case .created: .created
            case .starting: lifecycle.startIsRestart ? .restarting : lifecycle.hasRun ? .exited : .created
            case .running: lifecycle.isPauseTold ? .paused : .running
            case .restarting: .restarting
            case .exited: .exited
            }
    }
}

extension SupervisorV1.ExitStatus {
    init(_ status: ExitStatus) {
        self.init(
            code: status.code,
            signal: status.signal,
            known: status.isKnown,
            oomKilled: status.isOutOfMemory,
            exitedAtUnixNanos: status.atUnixNanos,
            failure: status.failure?.description ?? ""
        )
    }
}

extension SupervisorV1.ExecProcess {
    init(_ snapshot: ExecSnapshot) {
        self.init(
            id: snapshot.id,
            containerId: snapshot.container.text,
            running: snapshot.isRunning,
            pid: UInt32(snapshot.pid),
            exit: snapshot.exit.map(SupervisorV1.ExitStatus.init),
            streamSocket: snapshot.streamSocket
        )
    }
}

extension SupervisorV1.Event {
    init(_ event: Event, journal: String) {
        self.init(
            sequence: event.sequence,
            journalId: journal,
            wallUnixNanos: event.wallUnixNanos,
            bootNanos: event.bootNanos,
            owner: event.owner,
            containerId: event.container,
            action: SupervisorV1.Event.Action(rawValue: Int32(event.action.rawValue)),
            exit: event.exit.map(SupervisorV1.ExitStatus.init),
            execId: event.exec,
            signal: event.signal,
            run: event.run,
            health: event.health.map { SupervisorV1.Health.Status($0) } ?? .none
        )
    }
}
