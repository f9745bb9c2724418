// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import ContainerRuntime
internal import Messages
internal import RuntimeSpec
internal import Suite
internal import System

/// From a request to a process that waits at its gate, and through it.
extension Keeper {
    // MARK: - Init

    /// - Parameter descriptors: Processes of the containers whose namespaces it is to join, as the request names them.
    func start(_ request: KeeperV1.Start, _ descriptors: [SharedDescriptor], _ waiter: Job.Waiter) {
        if let refusal = refusal(ofRun: request.run) {
            return reply(waiter.connection, waiter.packetID, failure: refusal, record: initJob?.record)
        }
        if let job = initJob, job.record.run == request.run, job.record.state != .failed {
            return join(job, waiter)
        }
        let record = KeeperV1.RunRecord(
            version: 1,
            run: request.run,
            state: .building,
            openStdin: container.openStdin
        )
        let job = Job(record: record, phase: .building)
        job.waiters = [waiter]
        do throws(StepFailure) {
            try save(record)
            faults.reach("keeper.start.building")
            if request.run > 1 { spooler.expectNobody() }
            initJob?.closeDescriptors()
            initJob = job
            try build(job, joined: try Keeper.joined(request, descriptors))
        } catch {
            return fail(job, error)
        }
        offerCustody(of: job)
    }

    private func refusal(ofRun run: UInt64) -> StepFailure? {
        if awaitsAdoption { return StepFailure(step: "adopt", path: "", code: KeeperError.tryAgain) }
        guard let present = initJob else { return nil }
        if present.record.run == run { return nil }
        if !present.isFinished { return StepFailure(step: "start", path: "", code: KeeperError.busy) }
        // What the last run has written, and the disk has no room for, is not to be lost to the next one.
        if spooler.isBlocked, !present.isDrained {
            return StepFailure(step: "output", path: files.spool, code: KeeperError.noSpace)
        }
        return run < present.record.run ? StepFailure(step: "start", path: "", code: KeeperError.exists) : nil
    }

    /// A request that was made before, by this supervisor or the one before it: answered with what came of it.
    private func join(_ job: Job, _ waiter: Job.Waiter) {
        switch job.phase {
        case .building:
            job.waiters.append(waiter)
            offerCustody(of: job, to: waiter.connection, id: 0)
        case .released, .executed: job.waiters.append(waiter)
        case .running, .ended, .finished: reply(waiter.connection, waiter.packetID, record: job.record)
        }
    }

    private static func joined(
        _ request: KeeperV1.Start,
        _ descriptors: [SharedDescriptor]
    ) throws(StepFailure) -> [(kind: NamespaceKinds, process: SharedDescriptor)] {
        let known: [String: NamespaceKinds] = ["network": .network, "pid": .process, "ipc": .ipc]
        guard request.joined.count == descriptors.count else {
            throw StepFailure(step: "join", path: "", code: KeeperError.invalid)
        }
        var result: [(kind: NamespaceKinds, process: SharedDescriptor)] = []
        for (name, descriptor) in zip(request.joined.map(\.kind), descriptors) {
            guard let kind = known[name], !result.contains(where: { $0.kind == kind }) else {
                throw StepFailure(step: "join", path: name, code: KeeperError.invalid)
            }
            result.append((kind, descriptor))
        }
        return result
    }

    private func build(
        _ job: Job,
        joined: [(kind: NamespaceKinds, process: SharedDescriptor)]
    ) throws(StepFailure) {
        container = try files.container()
        let spec = limited(try files.spec())
        let plan = try initPlan(spec)
        // Where the version 1 groups, of which there are many, are yet to be made, the child builds meanwhile.
        let makesGroupsBeside = cgroup.layout.kind == .hybrid
        try step("cgroup") { () throws(CgroupError) in
            try clearGroups()
            if makesGroupsBeside { try cgroup.createUnified() } else { try makeGroups(spec.linux.resources) }
        }
        try makeNetworkNamespace(spec, isJoined: joined.contains { $0.kind == .network })
        let size = spec.process?.consoleSize
        let streams = try Streams(
            terminal: spec.process?.terminal == true ? (size?.width ?? 80, size?.height ?? 24) : nil,
            openStdin: container.openStdin,
            discardsOutput: container.outputDiscard
        )
        var spawned = try ContainerProcess.spawnInit(
            plan,
            streams: streams.standard,
            networkNamespace: networkNamespace?.raw,
            joined: joined.map { JoinedNamespace($0.kind, of: $0.process.raw) },
            cgroup: cgroup,
            awaitsGroups: makesGroupsBeside
        )
        withExtendedLifetime(joined) {}
        job.record.terminal = streams.isTerminal
        job.endsNamespace = plan.newNamespaces.contains(.process) && !joined.contains { $0.kind == .process }
        try take(&spawned, streams, job)
        if makesGroupsBeside {
            try step("cgroup") { () throws(CgroupError) in try makeGroups(spec.linux.resources) }
            // One that has ended already has told why.
            if let gate = job.gate { _ = try? Files.writeSome(gate.raw, [1]) }
        }
        if job.birth == nil { try save(job.record) }
        faults.reach("keeper.start.spawned")
    }

    func limited(_ spec: ContainerSpec) -> ContainerSpec {
        var spec = spec
        spec.process = spec.process.map(limited)
        return spec
    }

    /// Without a limit of its own on open files a process would have the keeper's, which is raised for the suite's needs.
    private func limited(_ process: ProcessSpec) -> ProcessSpec {
        guard let openFiles, !process.rlimits.contains(where: { $0.kind == .openFiles }),
            let hard = try? ResourceLimits.value(ResourceLimits.openFiles).hard
        else { return process }
        var process = process
        process.rlimits.append(.init(kind: .openFiles, soft: min(openFiles, hard), hard: hard))
        return process
    }

    func initPlan(_ spec: ContainerSpec) throws(StepFailure) -> InitPlan {
        let rootfs = container.rootfs.map {
            MountSpec(destination: $0.target, type: $0.type, source: $0.source, options: $0.options)
        }
        let program = try files.seccompProgram(container)
        do throws(PlanError) {
            return try InitPlan(spec: spec, rootfs: rootfs, seccompProgram: program)
        } catch {
            throw StepFailure(step: "config: \(error)", path: "", code: KeeperError.invalid)
        }
    }

    /// A new group for each run, so that its counters are the run's own.
    private func clearGroups() throws(CgroupError) {
        let isKnownClear = groupsAreClear
        groupsAreClear = false
        guard !isKnownClear, cgroup.exists else { return }
        do throws(SystemError) {
            try cgroup.killAll()
            try cgroup.remove()
        } catch {
            throw .system(error)
        }
    }

    private func makeGroups(_ resources: Resources) throws(CgroupError) {
        try cgroup.create()
        try cgroup.apply(resources)
    }

    private func step(_ name: String, _ body: () throws(CgroupError) -> Void) throws(StepFailure) {
        do throws(CgroupError) { try body() } catch {
            if case .system(let error) = error { throw StepFailure(error, step: name) }
            throw StepFailure(step: "\(name): \(error)", path: cgroup.path, code: KeeperError.invalid)
        }
    }

    /// One network namespace serves all runs; another container's is found anew for each.
    private func makeNetworkNamespace(_ spec: ContainerSpec, isJoined: Bool) throws(StepFailure) {
        guard let wanted = spec.linux.namespace(.network), wanted.path.isEmpty, !isJoined else {
            networkNamespace = nil
            return
        }
        guard networkNamespace == nil else { return }
        do throws(SystemError) {
            networkNamespace = SharedDescriptor(try NetworkNamespace.create())
        } catch {
            throw StepFailure(error, step: "network")
        }
    }

    // MARK: - Exec

    func exec(_ request: KeeperV1.Exec, _ waiter: Job.Waiter) {
        var attempt: UInt32 = 1
        if let job = execs.last(where: { $0.record.execId == request.execId }) {
            // One that a keeper's death kept from its program may be tried again.
            let mayRepeat =
                job.isFinished && job.record.state == .failed && job.record.failure?.step == "gate"
            guard mayRepeat else { return join(job, waiter) }
            attempt = job.record.attempt + 1
            execs.removeAll { $0.record.execId == request.execId }
        }
        guard let container = initJob, case .running = container.phase, let process = container.process,
            ContainerFiles.isValid(execID: request.execId)
        else {
            let isValid = ContainerFiles.isValid(execID: request.execId)
            let code = isValid ? KeeperError.noSuchProcess : KeeperError.invalid
            return reply(
                waiter.connection,
                waiter.packetID,
                failure: StepFailure(step: "exec", path: "", code: code)
            )
        }
        let record = KeeperV1.RunRecord(
            version: 1,
            run: container.record.run,
            state: .building,
            startedAtUnixNanos: Clock.wallNanos,
            execId: request.execId,
            openStdin: request.openStdin,
            detached: request.detached,
            transient: request.transient,
            attempt: attempt
        )
        let job = Job(record: record, phase: .building)
        job.waiters = [waiter]
        execs.append(job)
        do throws(StepFailure) {
            try save(record)
            faults.reach("keeper.exec.building")
            try build(job, request, inside: process)
        } catch {
            return fail(job, error)
        }
        offerCustody(of: job)
    }

    private func build(
        _ job: Job,
        _ request: KeeperV1.Exec,
        inside process: SharedDescriptor
    ) throws(StepFailure) {
        let plan: ExecPlan
        let specification: ProcessSpec
        let program = try files.seccompProgram(container)
        let read = try files.spec(unless: execSpec)
        execSpec = read
        do {
            let asked = try ProcessSpec(parsing: request.processJson)
            specification = asked.rlimits.isEmpty ? asked : limited(asked)
            plan = try ExecPlan(process: specification, spec: limited(read.spec), seccompProgram: program)
        } catch {
            throw StepFailure(step: "config: \(error)", path: "", code: KeeperError.invalid)
        }
        let size = specification.consoleSize
        let streams = try Streams(
            terminal: specification.terminal ? (size?.width ?? 80, size?.height ?? 24) : nil,
            openStdin: request.openStdin,
            discardsOutput: request.detached
        )
        var spawned = try ContainerProcess.spawnExec(
            plan,
            inside: process.raw,
            streams: streams.standard,
            cgroup: cgroup
        )
        job.record.terminal = streams.isTerminal
        try take(&spawned, streams, job)
        faults.reach("keeper.exec.spawned")
    }

    // MARK: - Both

    private func take(
        _ spawned: inout SpawnedProcess,
        _ streams: consuming Streams,
        _ job: Job
    ) throws(StepFailure) {
        // First what ends the process if a later step fails: with the gate gone it gives up.
        job.gate = SharedDescriptor(sharing: spawned.gate.take())
        job.process = SharedDescriptor(sharing: spawned.process.take())
        job.birth = spawned.birth
        job.status = SharedDescriptor(sharing: spawned.status.take())
        let terminal = SharedDescriptor(sharing: spawned.terminal.take())
        do throws(SystemError) {
            // What only prepares a process gives up by itself: it is not worth a record.
            if job.birth == nil { job.record.process = try System.ProcessIdentity(of: spawned.pid).message }
            if let terminal { try job.takeTerminal(terminal, faults: faults) }
            try streams.give(to: job, faults: faults)
        } catch {
            throw StepFailure(error, step: "stdio")
        }
    }

    /// The process that prepared it has ended: takes the one that was born, or what is told instead of it.
    func receive(_ job: Job) {
        guard let birth = job.birth, let helper = job.process else { return }
        try? ProcessHandle.reap(helper.raw)
        do throws(StepFailure) {
            do throws(SystemError) {
                guard let born = try birth.outcome() else {
                    (job.birth, job.process) = (nil, nil)
                    return readStatus(of: job)
                }
                (job.birth, job.process) = (nil, born.process)
                job.record.process = try System.ProcessIdentity(of: born.pid).message
                if let terminal = born.terminal { try job.takeTerminal(terminal, faults: faults) }
            } catch {
                throw StepFailure(error, step: "stdio")
            }
            try save(job.record)
        } catch {
            return fail(job, error)
        }
        faults.reach(job.isExec ? "keeper.exec.born" : "keeper.start.born")
        offerCustody(of: job)
    }

    private func save(_ record: KeeperV1.RunRecord) throws(StepFailure) {
        do throws(SystemError) {
            try makingRoom(for: .record) { () throws(SystemError) in try files.save(record) }
        } catch {
            throw StepFailure(error, step: "record")
        }
    }

    /// The supervisor holds its copies: the process may go on to its program.
    func openGate(run: UInt64, execID: String) {
        guard let job = job(execID: execID), job.record.run == run, case .building = job.phase,
            job.birth == nil, let gate = job.gate
        else { return }
        // A process that is gone already is told by its status pipe.
        _ = try? Files.writeSome(gate.raw, [1])
        job.gate = nil
        job.phase = .released
        faults.reach(job.isExec ? "keeper.exec.gate-opened" : "keeper.start.gate-opened")
    }

    /// Offers it to those who wait for the start, once there is a process.
    private func offerCustody(of job: Job) {
        guard job.birth == nil else { return }
        for waiter in job.waiters { offerCustody(of: job, to: waiter.connection, id: 0) }
        faults.reach(job.isExec ? "keeper.exec.custody" : "keeper.start.custody")
    }

    func offerCustody(of job: Job, to connection: ControlConnection, id: UInt64) {
        guard job.birth == nil else { return }
        var offered = job.custody
        if !job.isExec, let networkNamespace { offered.append((.networkNamespace, networkNamespace)) }
        guard !offered.isEmpty else { return }
        let names = offered.map { role, _ in
            KeeperV1.NamedDescriptor(
                role: role,
                execId: job.record.execId,
                run: job.isExec ? 0 : job.record.run
            )
        }
        let custody = KeeperV1.Custody(descriptors: names, run: job.record.run, execId: job.record.execId)
        connection.send(.custody(custody), id: id, descriptors: offered.map(\.1))
    }
}
