// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import ContainerRuntime
internal import Messages
internal import System

/// What supervisors ask for.
extension Keeper {
    func serve(_ connection: ControlConnection, _ found: Poll.Interest) {
        if found.contains(.writable) { connection.flush() }
        guard !found.isDisjoint(with: [.readable, .hungUp, .failed]) else { return }
        // A bounded number, so that a busy supervisor does not hold up output.
        for _ in 0..<32 {
            guard let (packet, descriptors) = connection.receive() else { return }
            guard let body = packet.body else { continue }
            handle(body, id: packet.id, descriptors, from: connection)
        }
    }

    private func handle(
        _ body: KeeperV1.Packet.Body,
        id: UInt64,
        _ descriptors: [SharedDescriptor],
        from connection: ControlConnection
    ) {
        switch body {
        case .hello: greet(connection, id)
        case .adopt(let request):
            if awaitsAdoption {
                custodians += zip(request.descriptors, descriptors).map { Custodian(name: $0, held: $1) }
                if !request.more {
                    adopt(custodians)
                    custodians = []
                }
            }
            reply(connection, id, record: initJob?.record)
        case .start(let request):
            start(request, descriptors, Job.Waiter(connection: connection, packetID: id))
        case .exec(let request): exec(request, Job.Waiter(connection: connection, packetID: id))
        case .signal(let request): signal(request, connection, id)
        case .resizeTerminal(let request): resize(request, connection, id)
        case .custodyHeld(let held): openGate(run: held.run, execID: held.execId)
        case .custodyQuery:
            for job in jobs { offerCustody(of: job, to: connection, id: id) }
            reply(connection, id)
        case .release: release(connection, id)
        case .closeStdin(let request):
            if let job = job(execID: request.execId) { closeInput(of: job) }
            reply(connection, id)
        case .helloReply, .reply, .custody, .event, .stdinClosed:
            KeeperLog.line("packet \(id) is not for a keeper")
        }
    }

    private func greet(_ connection: ControlConnection, _ id: UInt64) {
        connection.hasGreeted = true
        let reply = KeeperV1.HelloReply(
            keeper: keeperRecord,
            run: initJob?.record,
            execs: execs.map(\.record),
            lastEventSequence: events.lastSequence,
            awaitsAdoption: awaitsAdoption
        )
        connection.send(.helloReply(reply), id: id)
    }

    func reply(
        _ connection: ControlConnection,
        _ id: UInt64,
        failure: StepFailure? = nil,
        record: KeeperV1.RunRecord? = nil
    ) {
        connection.send(.reply(KeeperV1.Reply(failure: failure?.message, record: record)), id: id)
    }

    /// Init for an empty id.
    func job(execID: String) -> Job? {
        execID.isEmpty ? initJob : execs.last { $0.record.execId == execID }
    }

    private func signal(_ request: KeeperV1.Signal, _ connection: ControlConnection, _ id: UInt64) {
        let signal = System.Signal(rawValue: request.signal)
        do throws(SystemError) {
            guard let job = job(execID: request.execId), job.isAlive, let process = job.process else {
                throw SystemError("pidfd_send_signal", code: KeeperError.noSuchProcess)
            }
            if request.all {
                try signalAll(signal)
            } else {
                try ProcessHandle.signal(process.raw, signal)
            }
            reply(connection, id, record: job.record)
        } catch {
            reply(connection, id, failure: StepFailure(error, step: "signal"))
        }
    }

    private func signalAll(_ signal: System.Signal) throws(SystemError) {
        guard signal != .kill else { return try cgroup.killAll() }
        for pid in cgroup.processes() {
            // One that has ended meanwhile needs no signal.
            try? signal.send(to: pid)
        }
    }

    private func resize(_ request: KeeperV1.ResizeTerminal, _ connection: ControlConnection, _ id: UInt64) {
        do throws(SystemError) {
            guard let terminal = job(execID: request.execId)?.terminal else {
                throw SystemError("ioctl(TIOCSWINSZ)", code: KeeperError.noTerminal)
            }
            try Terminal.resize(
                terminal.raw,
                columns: UInt16(clamping: request.columns),
                rows: UInt16(clamping: request.rows)
            )
            reply(connection, id)
        } catch {
            reply(connection, id, failure: StepFailure(error, step: "terminal"))
        }
    }

    private func release(_ connection: ControlConnection, _ id: UInt64) {
        guard !awaitsAdoption, !jobs.contains(where: { !$0.isFinished }) else {
            let failure = StepFailure(step: "release", path: "", code: KeeperError.busy)
            return reply(connection, id, failure: failure, record: initJob?.record)
        }
        faults.reach("keeper.release.begun")
        do throws(SystemError) {
            // Mostly nothing is left, and to look for it would take longer.
            if !cgroup.removeIfEmpty() {
                try cgroup.killAll()
                try cgroup.remove()
            }
        } catch {
            return reply(connection, id, failure: StepFailure(error, step: "cgroup"))
        }
        faults.reach("keeper.release.removed")
        networkNamespace = nil
        try? Files.unlink(files.controlSocket)
        try? Files.unlink(files.streamSocket)
        reply(connection, id, record: initJob?.record)
        isReleased = true
    }
}
