// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import Messages
internal import System

/// Clients of the stream socket: their stdin goes to the process, an exec's output comes back.
extension Keeper {
    /// Connections of one process.
    private static let clientLimit = 64
    /// Reads and frames of one client before others have their turn.
    private static let stepsAtOnce = 8
    /// How long the input stays open without a client: its engine may have died.
    static let absenceNanos: Int64 = 60_000_000_000

    func attach(_ client: StreamClient) {
        guard let request = client.readRequest() else { return }
        newClients.removeAll { $0 === client }
        guard let job = job(execID: request.execId), request.run == 0 || request.run == job.record.run,
            job.clients.count < Self.clientLimit, !job.outputLost
        else { return client.finish() }
        if client.wantsOutput {
            for source in job.outputs {
                guard let stage = source.stage, let position = client.positions[source.stream] else {
                    continue
                }
                guard stage.holds(position) else {
                    KeeperLog.line("stream of \(request.execId) closed: \(position) is not kept")
                    return client.finish()
                }
            }
            // Output goes to one client; a new one is the old one come back.
            for old in job.clients where old.wantsOutput { old.finish() }
        }
        job.clients.append(client)
        if client.wantsInput { job.hadInputClient = true }
    }

    // MARK: - To the client

    func serveClients(of job: Job) {
        for client in job.clients { serve(client, of: job) }
        job.clients.removeAll { !$0.isOpen }
        if job.isAlive { noteInputClients(of: job) }
    }

    /// Sends a bounded amount of what there is for it.
    private func serve(_ client: StreamClient, of job: Job) {
        client.wantsTurn = false
        var steps = 0
        while client.flush() {
            guard queueNext(for: client, of: job) else { return }
            steps += 1
            guard steps < Self.stepsAtOnce else {
                client.wantsTurn = true
                return
            }
        }
    }

    private func queueNext(for client: StreamClient, of job: Job) -> Bool {
        if let input = job.input { job.inputState = (input.accepted, input.delivered) }
        if client.wantsInput, let (accepted, delivered) = job.inputState,
            client.tell(accepted: accepted, delivered: delivered)
        {
            return true
        }
        guard client.wantsOutput, !client.isToldOfEnd else { return false }
        for source in job.outputs {
            if let stage = source.stage, client.tell(source.stream, stage) {
                faults.reach("keeper.stream.sent")
                return true
            }
        }
        guard job.isExec, job.isFinished, job.outputs.allSatisfy(\.isAtEnd) else { return false }
        client.tellEnd()
        return true
    }

    // MARK: - From the client

    func read(_ client: StreamClient, of job: Job) {
        for _ in 0..<Self.stepsAtOnce where client.isOpen {
            guard let frames = client.read() else { return client.finish() }
            if frames.isEmpty { return }
            for frame in frames where client.isOpen { take(frame, from: client, of: job) }
        }
    }

    private func take(_ frame: StreamFrame, from client: StreamClient, of job: Job) {
        switch frame {
        case .input(let bytes):
            if client.wantsInput { accept(bytes, from: client, of: job) }
        case .endOfInput:
            guard client.wantsInput else { return }
            faults.reach("keeper.stream.input-ended")
            endInput(of: job)
        case .acknowledged(let stream, let position):
            guard let stage = job.outputs.first(where: { $0.stream == stream })?.stage else { return }
            guard stage.acknowledge(position) else {
                KeeperLog.line("stream of \(job.record.execId) closed: byte \(position) was never sent")
                return client.finish()
            }
        }
    }

    private func accept(_ bytes: [UInt8], from client: StreamClient, of job: Job) {
        // A process that has closed its input takes nothing any more.
        guard let input = job.input, !job.closesInputWhenEmpty else { return }
        // Each client may have that much on its way.
        let limit = InputStage.window * Int64(job.clients.count(where: \.wantsInput))
        guard input.accepted + Int64(bytes.count) - input.delivered <= limit else {
            KeeperLog.line("stream closed: its client sends more than it was told there is room for")
            return client.finish()
        }
        do throws(SystemError) {
            try input.accept(bytes)
        } catch {
            // No memory: it comes back, and sends again what was not accepted.
            KeeperLog.line("stream closed: input is not stored: \(error)")
            return client.finish()
        }
        deliverInput(of: job)
    }

    // MARK: - The process's input

    /// The process's pipe may have room.
    func deliverInput(of job: Job) {
        switch job.input?.deliver() {
        case .all: if job.closesInputWhenEmpty { closeInput(of: job) }
        case .closed: closeInput(of: job, discarding: true)
        case .part, nil: break
        }
    }

    /// The client sends no more. An exec's input is its client's alone; a container's outlives clients unless it was
    /// made to end with the first (`stdin_once`).
    private func endInput(of job: Job) {
        guard job.isExec || container.stdinOnce else { return }
        closeInput(of: job)
    }

    /// When the input ends because nobody has come back to it; in boot time.
    func inputDeadline(of job: Job) -> Int64? {
        guard let input = job.input, !input.isTerminal, !job.closesInputWhenEmpty, let left = job.inputLeftAt,
            job.isExec || (container.stdinOnce && job.hadInputClient)
        else { return nil }
        return left + Self.absenceNanos
    }

    /// Notices that there is no client left, or one again.
    func noteInputClients(of job: Job) {
        if job.input == nil || job.clients.contains(where: \.wantsInput) {
            job.inputLeftAt = nil
        } else if job.inputLeftAt == nil {
            job.inputLeftAt = Clock.bootNanos
        }
        if let deadline = inputDeadline(of: job), Clock.bootNanos >= deadline { closeInput(of: job) }
    }

    /// Closes a process's stdin once it has taken what waits. It sees the end when the supervisor has closed its copy
    /// too. A terminal has no such end.
    func closeInput(of job: Job, discarding: Bool = false) {
        guard let input = job.input, !input.isTerminal else { return }
        guard input.isEmpty || discarding else {
            job.closesInputWhenEmpty = true
            return
        }
        job.inputState = (input.accepted, input.delivered)
        job.record.openStdin = false
        // If that cannot be recorded, an adopter would hold the input open for longer: no reason to do so now.
        try? files.save(job.record)
        job.input = nil
        faults.reach("keeper.stdin.closed")
        let closed = KeeperV1.StdinClosed(run: job.record.run, execId: job.record.execId)
        for connection in connections where connection.hasGreeted { connection.send(.stdinClosed(closed)) }
    }
}
