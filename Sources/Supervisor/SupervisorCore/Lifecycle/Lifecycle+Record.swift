// SPDX-License-Identifier: Apache-2.0
package import Messages

/// The value as file `lifecycle.pb` or `lifecycle.now.pb`.
extension Lifecycle {
    static let recordVersion: UInt32 = 1

    /// - Parameter revision: Higher with each writing.
    package func record(bootID: String, revision: UInt64) -> SupervisorV1.LifecycleRecord {
        SupervisorV1.LifecycleRecord(
            version: Self.recordVersion,
            bootId: bootID,
            phase: phase.rawValue,
            run: run,
            pid: pid,
            createdAtUnixNanos: createdAtUnixNanos,
            startedAtUnixNanos: startedAtUnixNanos,
            exit: exit.map(SupervisorV1.StatusRecord.init),
            restartCount: restartCount,
            backOffNanos: backOffNanos,
            manuallyStopped: isManuallyStopped,
            removalWanted: isRemovalWanted,
            keeperSequence: keeperSequence,
            eventNumber: eventNumber,
            pending: pending.map(SupervisorV1.EventRecord.init),
            killDueBootNanos: killDueBootNanos,
            startIsRestart: startIsRestart,
            hasRun: hasRun,
            deleting: isBeingDeleted,
            stopSignal: stopSignal,
            startKey: startKey,
            startRepeats: startRepeats,
            health: healthCheck == nil ? nil : health.record,
            pauseWanted: isPauseWanted,
            pauseTold: isPauseTold,
            resourcesJson: resources,
            resourcesBeforeJson: beforeUpdate?.resources,
            restartPolicy: SupervisorV1.RestartPolicy(policy),
            restartPolicyBefore: (beforeUpdate?.policy).map(SupervisorV1.RestartPolicy.init),
            revision: revision
        )
    }

    /// Whether losing the step from `old` to this with the machine's power would break a promise: a container that is to
    /// run again after a boot would not, or one would that was stopped by hand; or limits would be the old ones.
    package func mustOutlivePower(after old: Lifecycle) -> Bool {
        // It is removed at the next boot, whatever it was.
        guard !isAutoRemoved else { return false }
        if policy != old.policy || resources != old.resources || beforeUpdate != old.beforeUpdate {
            return true
        }
        guard policy.mode != .no else { return false }
        return isManuallyStopped != old.isManuallyStopped || hasRun != old.hasRun
    }

    /// After another boot: what the machine's end may have taken from the others' files is not waited for.
    /// - Parameters:
    ///   - keeperSequence: The last event in the keeper's file.
    ///   - journaled: The number of the last event that the journal has of it.
    package mutating func reconcile(keeperSequence: UInt64, journaled: UInt64) {
        self.keeperSequence = min(self.keeperSequence, keeperSequence)
        eventNumber = max(eventNumber, journaled)
    }

    /// nil when the record is of a later version, or says what no container does.
    package init?(_ record: SupervisorV1.LifecycleRecord, request: ContainerRequest) {
        guard record.version == Self.recordVersion, let phase = Phase(rawValue: record.phase) else {
            return nil
        }
        self.init(
            id: request.id,
            owner: request.owner,
            policy: record.restartPolicy.map(RestartPolicy.init) ?? request.restartPolicy,
            isAutoRemoved: request.isAutoRemoved,
            healthCheck: request.healthCheck,
            createdAt: record.createdAtUnixNanos
        )
        self.phase = phase
        run = record.run
        pid = record.pid
        startedAtUnixNanos = record.startedAtUnixNanos
        exit = record.exit.map(ExitStatus.init)
        restartCount = record.restartCount
        backOffNanos = record.backOffNanos
        isManuallyStopped = record.manuallyStopped
        isRemovalWanted = record.removalWanted
        isBeingDeleted = record.deleting
        keeperSequence = record.keeperSequence
        eventNumber = record.eventNumber
        pending = record.pending.compactMap(Event.init)
        killDueBootNanos = record.killDueBootNanos
        stopSignal = record.stopSignal
        startIsRestart = record.startIsRestart
        startRepeats = record.startRepeats
        hasRun = record.hasRun
        startKey = record.startKey
        if let found = record.health { health = Health(found) }
        (isPauseWanted, isPauseTold) = (record.pauseWanted, record.pauseTold)
        resources = record.resourcesJson
        if let before = record.restartPolicyBefore {
            beforeUpdate = UpdatableParts(
                resources: record.resourcesBeforeJson ?? [],
                policy: RestartPolicy(before)
            )
        }
    }
}

extension ExitStatus {
    init(_ record: SupervisorV1.StatusRecord) {
        self.init(
            code: record.code,
            signal: record.signal,
            isKnown: record.known,
            isOutOfMemory: record.oomKilled,
            atUnixNanos: record.exitedAtUnixNanos,
            failure: record.failed
                ? StartFailure(step: record.failureStep, path: record.failurePath, errno: record.failureErrno)
                : nil
        )
    }
}

extension SupervisorV1.StatusRecord {
    init(_ status: ExitStatus) {
        self.init(
            code: status.code,
            signal: status.signal,
            known: status.isKnown,
            oomKilled: status.isOutOfMemory,
            exitedAtUnixNanos: status.atUnixNanos,
            failed: status.failure != nil,
            failureStep: status.failure?.step ?? "",
            failurePath: status.failure?.path ?? "",
            failureErrno: status.failure?.errno ?? 0
        )
    }
}

extension Event {
    /// nil for an action of a later release.
    init?(_ record: SupervisorV1.EventRecord) {
        guard let action = Action(rawValue: record.action) else { return nil }
        self.init(
            sequence: record.sequence,
            wallUnixNanos: record.wallUnixNanos,
            bootNanos: record.bootNanos,
            owner: record.owner,
            container: record.containerId,
            action: action,
            exit: record.exit.map(ExitStatus.init),
            exec: record.execId,
            signal: record.signal,
            run: record.run,
            health: Health.Status(rawValue: record.health),
            number: record.number
        )
    }
}

extension RestartPolicy {
    /// A mode of a later release is as good as none.
    init(_ message: SupervisorV1.RestartPolicy) {
        self.init(
            mode: Mode(rawValue: UInt32(bitPattern: message.mode.rawValue)) ?? .no,
            maximumRetries: message.maximumRetries
        )
    }
}

extension SupervisorV1.RestartPolicy {
    package init(_ policy: RestartPolicy) {
        self.init(
            mode: SupervisorV1.RestartMode(rawValue: Int32(policy.mode.rawValue)),
            maximumRetries: policy.maximumRetries
        )
    }
}

extension SupervisorV1.EventRecord {
    init(_ event: Event) {
        self.init(
            sequence: event.sequence,
            wallUnixNanos: event.wallUnixNanos,
            bootNanos: event.bootNanos,
            owner: event.owner,
            containerId: event.container,
            action: event.action.rawValue,
            exit: event.exit.map(SupervisorV1.StatusRecord.init),
            execId: event.exec,
            signal: event.signal,
            run: event.run,
            number: event.number,
            health: event.health?.rawValue ?? 0
        )
    }
}
