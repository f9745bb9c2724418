// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import System

/// Clients of the stream socket: their stdin goes to the process, an exec's output comes back.
extension Keeper {
    func attach(_ client: StreamClient) {
        guard let request = client.readRequest() else { return }
        newClients.removeAll { $0 === client }
        guard let job = job(execID: request.execId), !(job.isFinished && job.outputs.isEmpty) else {
            return client.finish()
        }
        // Output goes to one client; a new one is the old one come back.
        if client.wantsOutput {
            for old in job.clients where old.wantsOutput { old.finish() }
            job.clients.removeAll { !$0.isOpen }
        }
        job.clients.append(client)
    }

    func serve(_ client: StreamClient, of job: Job, _ found: Poll.Interest) {
        if found.contains(.writable) {
            client.push()
            job.lastOutputAt = Clock.bootNanos
        }
        if client.wantsInput, !client.inputEnded, !found.isDisjoint(with: [.readable, .hungUp]) {
            passInput(from: client, to: job)
        }
        let isGone = !found.isDisjoint(with: [.hungUp, .failed])
        if isGone, !client.wantsInput || client.inputEnded || job.input?.waiting.isEmpty == false {
            client.finish()
        }
        guard !client.isOpen else { return }
        job.clients.removeAll { $0 === client }
        if client.wantsInput { endInput(of: job) }
    }

    private func passInput(from client: StreamClient, to job: Job) {
        // A bounded amount each turn.
        for _ in 0..<8 {
            guard job.input?.waiting.isEmpty ?? true else { return }
            let bytes = client.readInput()
            if client.inputEnded { return endInput(of: job) }
            guard !bytes.isEmpty else { return }
            if case .closed? = job.input?.accept(bytes) { closeInput(of: job) }
        }
    }

    /// The process's pipe has room again.
    func pushInput(of job: Job) {
        switch job.input?.push() {
        case .all: if job.closesInputWhenEmpty { closeInput(of: job) }
        case .closed: closeInput(of: job)
        case .part, nil: break
        }
    }

    /// The client sends no more. An exec's input is its client's alone; a container's outlives clients unless it was
    /// made to end with the first (`stdin_once`).
    private func endInput(of job: Job) {
        guard job.isExec || container.stdinOnce else { return }
        closeInput(of: job)
    }

    /// Closes a process's stdin once it has taken what waits. It sees the end when the supervisor has closed its copy
    /// too. A terminal has no such end.
    func closeInput(of job: Job) {
        guard let input = job.input, !input.isTerminal else { return }
        guard input.waiting.isEmpty else {
            job.closesInputWhenEmpty = true
            return
        }
        job.record.openStdin = false
        // If that cannot be recorded, an adopter would hold the input open for longer: no reason to do so now.
        try? files.save(job.record)
        job.input = nil
        faults.reach("keeper.stdin.closed")
        let closed = KeeperV1.StdinClosed(run: job.record.run, execId: job.record.execId)
        for connection in connections where connection.hasGreeted { connection.send(.stdinClosed(closed)) }
    }
}
