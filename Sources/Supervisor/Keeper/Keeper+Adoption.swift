// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import Logs
internal import Messages
internal import System

/// A descriptor that the supervisor held while there was no keeper.
struct Custodian {
    let name: KeeperV1.NamedDescriptor
    let held: SharedDescriptor

    /// Copies of an earlier run are not the present one's, which may not have come as far as to have any.
    func isOf(_ record: KeeperV1.RunRecord) -> Bool {
        name.execId == record.execId && (!record.execId.isEmpty || name.run == record.run)
    }
}

/// A new keeper goes on where the last one was killed.
///
/// What happened is read from the record, the status pipe and the process itself:
/// - no process was handed over: it stood at a gate that is gone, and was never executed; or (recorded as running) it
///   ended while nobody held it, and its status is lost;
/// - BUILDING: the status pipe tells, whether the old keeper had opened the gate or not;
/// - RUNNING: goes on; its end is noticed as that of the keeper's own child would be;
/// - EXITED, FAILED: at most the event is missing, and output that a full disk held back.
extension Keeper {
    func adopt(_ custody: [Custodian]) {
        awaitsAdoption = false
        faults.reach("keeper.adopt.received")
        if let namespace = custody.first(where: { $0.name.role == .networkNamespace }) {
            networkNamespace = namespace.held
        }
        for job in jobs { adopt(job, custody.filter { $0.isOf(job.record) }) }
        if networkNamespace == nil { networkNamespace = reopenNetworkNamespace() }
        for job in jobs { reconcile(job) }
        if let initJob, initJob.isAlive { announce(.adopted, initJob) }
        faults.reach("keeper.adopt.recorded")
    }

    private func adopt(_ job: Job, _ custody: [Custodian]) {
        func held(_ role: KeeperV1.NamedDescriptor.Role) -> SharedDescriptor? {
            custody.first { $0.name.role == role }?.held
        }
        do throws(SystemError) {
            try takeOutputs(job, held)
            if job.record.state == .building || job.record.state == .running { try takeInput(job, held) }
        } catch {
            KeeperLog.line("streams of \(job.record.execId): \(error)")
        }
        switch job.record.state {
        case .building:
            (job.process, job.status) = (held(.pidfd), held(.statusRead))
            job.phase = .released
        case .running:
            job.process = held(.pidfd) ?? reopenProcess(job.record)
            job.phase = .running
        default:
            job.phase = .finished
            job.endedAt = Clock.bootNanos
        }
    }

    private func takeOutputs(
        _ job: Job,
        _ held: (KeeperV1.NamedDescriptor.Role) -> SharedDescriptor?
    ) throws(SystemError) {
        func stage(_ role: KeeperV1.NamedDescriptor.Role) throws(SystemError) -> OutputStage? {
            job.stagesOutput ? try OutputStage(held(role), faults: faults) : nil
        }
        if let terminal = held(.terminal), let read = held(.terminalPipeRead),
            let write = held(.terminalPipeWrite)
        {
            job.terminal = terminal
            job.outputs.append(
                OutputSource(
                    terminal: terminal,
                    pipeRead: read,
                    pipeWrite: write,
                    stage: try stage(.stdoutStage)
                )
            )
        }
        if let output = held(.stdoutRead) {
            job.outputs.append(OutputSource(.standardOutput, pipe: output, stage: try stage(.stdoutStage)))
        }
        if let error = held(.stderrRead) {
            job.outputs.append(OutputSource(.standardError, pipe: error, stage: try stage(.stderrStage)))
        }
    }

    private func takeInput(
        _ job: Job,
        _ held: (KeeperV1.NamedDescriptor.Role) -> SharedDescriptor?
    ) throws(SystemError) {
        let write = held(.stdinWrite)
        guard let process = write ?? (job.record.openStdin ? held(.terminal) : nil) else { return }
        let input = try InputStage(
            held(.stdinStage),
            process: process,
            isTerminal: write == nil,
            faults: faults
        )
        job.input = input
        job.hadInputClient = input.accepted > 0
        // The last keeper was closing it.
        if !job.record.openStdin { closeInput(of: job, discarding: true) }
    }

    private func reopenProcess(_ record: KeeperV1.RunRecord) -> SharedDescriptor? {
        guard let identity = record.process.map({ System.ProcessIdentity($0) }), identity.bootID == bootID,
            let process = try? ProcessHandle.open(identity.pid), identity.isPresent
        else { return nil }
        return SharedDescriptor(process)
    }

    /// Where the copy was lost with supervisor and descriptor store, the running init still has the namespace.
    private func reopenNetworkNamespace() -> SharedDescriptor? {
        guard let job = initJob, job.isAlive, let process = job.process, let pid = job.record.process?.pid,
            let namespace = try? Files.open("/proc/\(pid)/ns/net", .readOnly),
            (try? ProcessHandle.signal(process.raw, Signal(rawValue: 0))) != nil
        else { return nil }
        return SharedDescriptor(namespace)
    }

    /// Does what the last keeper had not come to.
    private func reconcile(_ job: Job) {
        switch job.record.state {
        case .building: reconcileBuilding(job)
        case .running:
            if job.process == nil { end(job, waitStatus: nil) }
            ensure(job.isExec ? .execStarted : .started, job)
        case .exited:
            if job.record.oomKilled { ensure(.oom, job) }
            ensure(job.isExec ? .execExited : .exited, job)
        case .failed: ensure(.startFailed, job)
        default: break
        }
    }

    private func reconcileBuilding(_ job: Job) {
        guard job.process == nil || job.status == nil else { return }
        // Its gate is gone, so it gives up by itself; not to be in the way of the next attempt, it is made to.
        if job.process == nil { job.process = reopenProcess(job.record) }
        fail(job, StepFailure(step: "gate", path: "", code: 0))
    }

    private func ensure(_ kind: KeeperV1.Event.Kind, _ job: Job) {
        do throws(SystemError) {
            try announceOnce(kind, job)
        } catch {
            KeeperLog.line("event not recorded: \(error)")
        }
    }
}
