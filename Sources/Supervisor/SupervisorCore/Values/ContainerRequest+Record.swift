// SPDX-License-Identifier: Apache-2.0
package import Messages

/// The request as file `request.pb` has it, beside the first state.
extension ContainerRequest {
    package var record: SupervisorV1.RequestRecord {
        SupervisorV1.RequestRecord(
            version: 1,
            id: id.text,
            owner: owner,
            key: key,
            specJson: specification,
            rootfs: rootfs.map {
                CommonV1.Mount(type: $0.type, source: $0.source, target: $0.target, options: $0.options)
            },
            openStdin: opensStdin,
            stdinOnce: stdinOnce,
            restartMode: restartPolicy.mode.rawValue,
            maximumRetries: restartPolicy.maximumRetries,
            autoRemove: isAutoRemoved,
            outputMaxSegmentBytes: output.maximumSegmentBytes,
            outputMaxSegments: output.maximumSegments,
            outputDiscard: output.isDiscarded,
            stopSignal: stopSignal,
            stopTimeoutMillis: stopTimeoutMillis,
            annotations: annotations.sorted { $0.key < $1.key }.map {
                SupervisorV1.Annotation(name: $0.key, value: $0.value)
            },
            joinedNamespaces: joined.map {
                SupervisorV1.JoinedRecord(kind: $0.kind.rawValue, containerId: $0.container.text)
            },
            cgroupParent: cgroupParent,
            outputDropWhenFull: output.dropsWhenFull,
            outputReaderExpected: output.expectsReader,
            healthCheck: healthCheck?.message
        )
    }

    /// nil when it is of a later version, or damaged.
    package init?(_ record: SupervisorV1.RequestRecord) {
        guard record.version == 1,
            let id = ContainerID(record.id),
            let mode = RestartPolicy.Mode(rawValue: record.restartMode)
        else { return nil }
        self.init(id: id, owner: record.owner, key: record.key, specification: record.specJson)
        rootfs = record.rootfs.map {
            Mount(type: $0.type, source: $0.source, target: $0.target, options: $0.options)
        }
        opensStdin = record.openStdin
        stdinOnce = record.stdinOnce
        restartPolicy = RestartPolicy(mode: mode, maximumRetries: record.maximumRetries)
        isAutoRemoved = record.autoRemove
        output = Output(
            maximumSegmentBytes: record.outputMaxSegmentBytes,
            maximumSegments: record.outputMaxSegments,
            isDiscarded: record.outputDiscard,
            dropsWhenFull: record.outputDropWhenFull,
            expectsReader: record.outputReaderExpected
        )
        stopSignal = record.stopSignal
        stopTimeoutMillis = record.stopTimeoutMillis
        healthCheck = record.healthCheck.map(HealthCheck.init)
        annotations = Dictionary(record.annotations.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        for entry in record.joinedNamespaces {
            guard let kind = Joined.Kind(rawValue: entry.kind), let other = ContainerID(entry.containerId)
            else {
                return nil
            }
            joined.append(Joined(kind: kind, container: other))
        }
        cgroupParent = record.cgroupParent
    }
}

/// What a keeper says, in the supervisor's terms.
extension KeeperNews {
    package init(_ event: KeeperV1.Event) {
        let record = event.record ?? KeeperV1.RunRecord()
        let status = ExitStatus(record)
        let kind: Kind =
            switch event.kind {
            case .started:
                .started(
                    run: record.run,
                    pid: record.process?.pid ?? 0,
                    atUnixNanos: record.startedAtUnixNanos
                )
            case .startFailed where !record.execId.isEmpty: .execFailed(exec: record.execId)
            case .startFailed: .startFailed(run: record.run, StartFailure(record.failure))
            case .exited: .exited(run: record.run, status)
            // Of probes their results are told.
            case .execStarted where record.isTransient, .execExited where record.isTransient: .unknown
            case .execStarted: .execStarted(exec: record.execId)
            case .execExited: .execExited(exec: record.execId, status)
            case .oom: .outOfMemory(run: record.run)
            case .outputBlocked: .outputBlocked
            case .outputResumed: .outputResumed
            case .adopted: .adopted
            default: .unknown
            }
        self.init(
            sequence: event.sequence,
            moment: Moment(wallUnixNanos: event.wallUnixNanos, bootNanos: event.bootNanos),
            kind: kind
        )
    }
}

extension KeeperV1.RunRecord {
    /// A keeper of an earlier release does not say it of a probe.
    var isTransient: Bool { transient || ExecID(execId)?.isProbe ?? false }
}

extension ExitStatus {
    /// Of a record that is EXITED or FAILED.
    package init(_ record: KeeperV1.RunRecord) {
        if record.state == .failed {
            self.init(
                failure: StartFailure(record.failure),
                isOfExec: !record.execId.isEmpty,
                atUnixNanos: record.exitedAtUnixNanos
            )
        } else {
            self.init(
                waitStatus: record.waitStatusKnown ? record.waitStatus : nil,
                isOutOfMemory: record.oomKilled,
                atUnixNanos: record.exitedAtUnixNanos
            )
        }
    }
}

extension StartFailure {
    package init(_ failure: KeeperV1.StepFailure?) {
        self.init(step: failure?.step ?? "unknown", path: failure?.path ?? "", errno: failure?.errno ?? 0)
    }
}
