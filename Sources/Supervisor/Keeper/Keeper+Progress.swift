// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import ContainerRuntime
internal import Messages
internal import Suite
internal import System

/// From the open gate to the recorded end. What cannot be recorded now (a full disk) is tried again, and nothing goes on
/// before it is.
extension Keeper {
    private static let retryNanos: Int64 = 250_000_000
    /// How long output may be silent after the process has ended, while somebody else still holds its other end.
    private static let silenceNanos: Int64 = 200_000_000
    /// How long an ended process's status may stay unknown: an orphan's may have to wait for its new parent.
    private static let statusNanos: Int64 = 5_000_000_000
    /// How long the rest of an ended exec's output waits for a client.
    private static let unreadNanos: Int64 = 60_000_000_000

    /// How long a program must have run before it is worth making the keeper small.
    private static let settlingNanos: Int64 = 2_000_000_000

    // MARK: - What the process tells

    func readStatus(of job: Job) {
        guard let status = job.status else { return }
        var report = StartReport.undecodable
        do throws(SystemError) {
            report = try StartReport(waitingIn: status.raw)
        } catch {
            KeeperLog.line("status pipe: \(error)")
        }
        // Until that is recorded, a next keeper reads it there.
        if case .executed = report {
            job.phase = .executed
            return
        }
        job.status = nil
        switch report {
        case .executed: break
        case .failed(let failure): fail(job, failure)
        // Killed on its way to the program, for want of memory or by somebody's signal.
        case .ended: fail(job, StepFailure(step: "init", path: "", code: KeeperError.noSuchProcess))
        case .undecodable: fail(job, StepFailure(step: "status", path: "", code: KeeperError.invalid))
        }
    }

    func noticeEnd(of job: Job) {
        guard let process = job.process, case .running = job.phase else { return }
        if job.endedAt == 0 {
            job.endedAt = Clock.bootNanos
            job.exitedAtUnixNanos = Clock.wallNanos
            faults.reach(job.isExec ? "keeper.exec.noticed" : "keeper.exit.noticed")
        }
        switch ExitProbe.ask(process.raw, pid: job.record.process?.pid ?? 0) {
        case .known(let status): end(job, waitStatus: status)
        case .later:
            if Clock.bootNanos - job.endedAt > Self.statusNanos {
                end(job, waitStatus: nil)
            } else {
                job.retryAt = Clock.bootNanos + Self.retryNanos / 10
            }
        }
    }

    func end(_ job: Job, waitStatus: Int32?) {
        job.phase = .ended(waitStatus: waitStatus)
        job.retryAt = nil
        if job.endedAt == 0 {
            job.endedAt = Clock.bootNanos
            job.exitedAtUnixNanos = Clock.wallNanos
        }
        job.lastOutputAt = job.endedAt
        guard !job.isExec else { return }
        // With the host's process namespace, what init started outlives it: a container ends as a whole.
        try? job.endsNamespace ? cgroup.killRest() : cgroup.killAll()
        // Once: what is held back then waits for room as before.
        if spooler.isBlocked { spooler.withReserve { retryOutput(of: job) } }
    }

    func takeOutput(_ source: OutputSource, of job: Job, hungUp: Bool) {
        if let stage = source.stage {
            if stage.take(from: source, hungUp: hungUp) > 0 { job.lastOutputAt = Clock.bootNanos }
            return
        }
        if job.isExec {
            discard(source, hungUp: hungUp)
            return
        }
        let wasBlocked = spooler.isBlocked
        switch spooler.move(source, hungUp: hungUp, isEnding: job.endedAt != 0) {
        case .moved: job.lastOutputAt = Clock.bootNanos
        case .nothing, .blocked: break
        }
        if spooler.isBlocked, !wasBlocked, !events.isOutputBlocked { announce(.outputBlocked, job) }
        announceRoom(for: job)
    }

    /// A detached exec's terminal must not fill up.
    private func discard(_ source: OutputSource, hungUp: Bool) {
        guard source.lookForBytes(hungUp: hungUp) > 0, let null = try? Files.open("/dev/null", .writeOnly)
        else { return }
        _ = try? Splice.move(from: source.pipe.raw, to: null.raw, count: OutputSource.bytesAtOnce)
    }

    // MARK: - One step further

    func advance(_ job: Job) {
        if let retryAt = job.retryAt, Clock.bootNanos < retryAt { return }
        do throws(SystemError) {
            switch job.phase {
            case .building, .released: break
            case .executed: try recordRunning(job)
            case .running: if job.endedAt != 0 { noticeEnd(of: job) }
            case .ended(let status): if mayRecordEnd(of: job) { try recordEnd(of: job, status) }
            case .finished: abandonSilentOutput(of: job)
            }
        } catch {
            if job.retryAt == nil { KeeperLog.line("not recorded: \(error)") }
            job.retryAt = Clock.bootNanos + Self.retryNanos
        }
        if !job.isExec, spooler.retryAt.map({ Clock.bootNanos >= $0 }) ?? false { retryOutput(of: job) }
    }

    /// While the disk is full nothing of the output is polled; this looks at it by the clock.
    private func retryOutput(of job: Job) {
        for source in job.outputs where !source.isAtEnd { takeOutput(source, of: job, hungUp: false) }
        spooler.endRetry()
        announceRoom(for: job)
    }

    private func announceRoom(for job: Job) {
        guard !spooler.isBlocked, events.isOutputBlocked else { return }
        job.record.outputDroppedBytes += spooler.takeDroppedBytes()
        announce(.outputResumed, job)
    }

    /// In boot time; nil: only when something happens.
    func nextLook(at job: Job) -> Int64? {
        if let retryAt = job.retryAt { return retryAt }
        switch job.phase {
        case .building, .released: return nil
        case .running: return [inputDeadline(of: job), stagesRetryAt(job)].compactMap(\.self).min()
        case .executed: return 0
        case .ended: return mayRecordEnd(of: job) ? 0 : job.lastOutputAt + Self.silenceNanos
        case .finished:
            guard job.isExec, !job.outputs.isEmpty else { return nil }
            guard job.hasReader else { return job.isDrained ? 0 : job.endedAt + Self.unreadNanos }
            // A client's answers, or its end, are what is waited for otherwise.
            return job.outputs.contains(where: \.isOpenWithRoom) ? silence(of: job) : stagesRetryAt(job)
        }
    }

    /// When output that somebody else may still write has been silent for long enough.
    private func silence(of job: Job) -> Int64 { max(job.endedAt, job.lastOutputAt) + Self.silenceNanos }

    private func stagesRetryAt(_ job: Job) -> Int64? { job.outputs.compactMap(\.stage?.retryAt).min() }

    func recordRunning(_ job: Job) throws(SystemError) {
        if job.record.state != .running {
            var record = job.record
            record.state = .running
            record.startedAtUnixNanos = Clock.wallNanos
            try save(record)
            job.record = record
            faults.reach(job.isExec ? "keeper.exec.running-recorded" : "keeper.start.running-recorded")
        }
        job.status = nil
        try announceOnce(job.isExec ? .execStarted : .started, job)
        job.retryAt = nil
        job.phase = .running
        answer(job)
        // From here on it mostly waits, perhaps for months, beside hundreds of its kind.
        if settlesAt == nil { settlesAt = Clock.bootNanos + Self.settlingNanos }
    }

    /// Lets go of what only a start has needed, when its program has run for a while.
    func settle() {
        guard let time = settlesAt, Clock.bootNanos >= time else { return }
        settlesAt = nil
        ProgramMemory.releaseFree()
        ProgramMemory.releaseCode()
        ProgramMemory.releaseStack()
    }

    private func mayRecordEnd(of job: Job) -> Bool {
        // An exec's output is its client's; init's is taken first, so that an exit tells that all of it is there.
        if job.isExec || job.isDrained || (spooler.isBlocked && !spooler.dropsWhenFull) { return true }
        return Clock.bootNanos - job.lastOutputAt > Self.silenceNanos
    }

    private func recordEnd(of job: Job, _ status: Int32?) throws(SystemError) {
        if job.record.state != .exited {
            var record = job.record
            record.state = .exited
            record.exitedAtUnixNanos = job.exitedAtUnixNanos
            record.waitStatus = status ?? 0
            record.waitStatusKnown = status != nil
            if !job.isExec { record.outputDroppedBytes += spooler.takeDroppedBytes() }
            record.oomKilled = !job.isExec && (cgroup.oomKillCount() ?? 0) > 0
            try save(record)
            job.record = record
            faults.reach(job.isExec ? "keeper.exec.recorded" : "keeper.exit.recorded")
        }
        if job.record.oomKilled { try announceOnce(.oom, job) }
        try announceOnce(job.isExec ? .execExited : .exited, job)
        if let process = job.process {
            // ECHILD: it was another keeper's child.
            try? ProcessHandle.reap(process.raw)
            faults.reach(job.isExec ? "keeper.exec.reaped" : "keeper.exit.reaped")
        }
        job.retryAt = nil
        job.phase = .finished
        (job.process, job.status, job.gate, job.input, job.terminal) = (nil, nil, nil, nil, nil)
        if !job.isExec {
            // What a full disk holds back is still to be stored; a silent holder of the other end has had its time.
            if !spooler.isBlocked || spooler.dropsWhenFull { job.outputs = [] }
            for client in job.clients { client.finish() }
            job.clients = []
        }
        answer(job)
    }

    /// The program was never executed: undone, recorded, told.
    func fail(_ job: Job, _ failure: StepFailure) {
        job.gate = nil
        if let process = job.process {
            try? ProcessHandle.signal(process.raw, .kill)
            if !job.isExec { try? cgroup.killAll() }
            reapWhenDead(process)
        }
        if let born = try? job.birth?.outcome() {
            try? ProcessHandle.signal(born.process.raw, .kill)
            reapWhenDead(born.process)
        }
        job.closeDescriptors()
        job.phase = .finished
        job.record.state = .failed
        job.record.failure = failure.message
        job.record.exitedAtUnixNanos = Clock.wallNanos
        do throws(SystemError) {
            try save(job.record)
            faults.reach(job.isExec ? "keeper.exec.failed" : "keeper.start.failed")
            try append(.startFailed, job.record)
        } catch {
            KeeperLog.line("failure not recorded: \(error)")
        }
        answer(job)
    }

    /// It is dying; the wait is short, and bounded.
    private func reapWhenDead(_ process: SharedDescriptor) {
        var entries = [Poll.Entry(process.raw)]
        try? Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 2_000_000_000)
        try? ProcessHandle.reap(process.raw)
    }

    private func answer(_ job: Job) {
        let failure = job.record.failure.map { StepFailure(step: $0.step, path: $0.path, code: $0.errno) }
        for waiter in job.waiters {
            reply(waiter.connection, waiter.packetID, failure: failure, record: job.record)
        }
        job.waiters = []
    }

    // MARK: - Events

    /// For what one keeper may have recorded and the next one has to make sure of.
    func announceOnce(_ kind: KeeperV1.Event.Kind, _ job: Job) throws(SystemError) {
        guard !events.contains(kind, job.record) else { return }
        try append(kind, job.record)
    }

    func announce(_ kind: KeeperV1.Event.Kind, _ job: Job) {
        do throws(SystemError) {
            try append(kind, job.record)
        } catch {
            KeeperLog.line("event not recorded: \(error)")
        }
    }

    private func append(_ kind: KeeperV1.Event.Kind, _ record: KeeperV1.RunRecord) throws(SystemError) {
        // Of the end alone: without it the container cannot be removed.
        let purpose: DiskReserve.Purpose = kind == .exited ? .removal : .record
        tell(try makingRoom(for: purpose) { () throws(SystemError) in try events.append(kind, record) })
    }

    private func save(_ record: KeeperV1.RunRecord) throws(SystemError) {
        let isEnd = record.execId.isEmpty && record.state == .exited
        try makingRoom(for: isEnd ? .removal : .record) { () throws(SystemError) in try files.save(record) }
    }

    private func tell(_ event: KeeperV1.Event) {
        for connection in connections where connection.hasGreeted { connection.send(.event(event)) }
    }

    // MARK: - Old execs

    private func abandonSilentOutput(of job: Job) {
        guard job.isExec, job.hasReader, Clock.bootNanos >= silence(of: job) else { return }
        for source in job.outputs where source.isOpenWithRoom { source.abandon() }
    }

    /// An exec's descriptors are let go of when a client has received everything, or none comes.
    func letGo(of job: Job) {
        guard job.isExec, job.isFinished, !job.outputs.isEmpty else { return }
        let now = Clock.bootNanos
        if job.isDrained, job.clients.allSatisfy({ !$0.wantsOutput || $0.isToldOfEnd && !$0.isSending }) {
            faults.reach("keeper.stream.finished")
            job.closeDescriptors()
        } else if !job.hasReader, now - job.endedAt > Self.unreadNanos {
            job.outputLost = !job.isDrained
            job.closeDescriptors()
        }
    }

    func forgetOldExecs() {
        let transients = execs.filter { $0.record.transient && $0.isFinished && $0.outputs.isEmpty }
        for job in transients.dropLast() {
            files.removeExec(job.record.execId)
            execs.removeAll { $0 === job }
        }
        var surplus = execs.count - ContainerFiles.execRecordLimit
        guard surplus > 0 else { return }
        execs.removeAll { job in
            guard surplus > 0, job.isFinished, job.outputs.isEmpty else { return false }
            files.removeExec(job.record.execId)
            surplus -= 1
            return true
        }
    }
}
