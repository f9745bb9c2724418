// SPDX-License-Identifier: Apache-2.0
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
            restartPolicy: SupervisorV1.RestartPolicy(request.restartPolicy),
            outputDirectory: snapshot.directory.outputPath,
            streamSocket: snapshot.directory.streamSocket,
            keeperPid: UInt32(snapshot.keeperPid),
            annotations: request.annotations,
            terminal: snapshot.isTerminal,
            autoRemove: request.isAutoRemoved
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
            case .running: .running
            case .restarting: .restarting
            case .exited: .exited
            }
    }
}

extension SupervisorV1.RestartPolicy {
    fileprivate init(_ policy: RestartPolicy) {
        self.init(
            mode: SupervisorV1.RestartMode(rawValue: Int32(policy.mode.rawValue)),
            maximumRetries: policy.maximumRetries
        )
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
            run: event.run
        )
    }
}
