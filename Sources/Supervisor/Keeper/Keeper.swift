// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import ContainerRuntime
internal import Logs
internal import Messages
internal import Suite
package import System

/// Keeps one container from create to delete: parent of its processes, holder of its descriptors, writer of its output
/// and of its records.
///
/// One thread, one loop around poll(2); nothing in it waits for a peer. Every step is recorded before the next, so a
/// keeper killed anywhere is followed by one that goes on (`Adopt`).
package final class Keeper {
    package struct Options: Sendable {
        /// ROOT/supervisor/containers/ID.
        package var directory: String
        /// RUN/containers/ID.
        package var runDirectory: String
        /// Another keeper was here: the supervisor will send what it left (`Adopt`).
        package var adopts: Bool
        /// The soft limit on open files of processes whose specification has none; nil: the keeper's own.
        package var openFiles: UInt64?
        package var release: String
        package var faults: FaultPoints
        /// Where control groups are; nil: where the system has them.
        var groups: CgroupLayout?

        package init(
            directory: String,
            runDirectory: String,
            adopts: Bool = false,
            openFiles: UInt64? = nil,
            release: String,
            faults: FaultPoints = .off
        ) {
            self.directory = directory
            self.runDirectory = runDirectory
            self.adopts = adopts
            self.openFiles = openFiles
            self.release = release
            self.faults = faults
        }
    }

    let files: ContainerFiles
    /// Kept from one exec to the next.
    var execSpec: ContainerFiles.ReadSpec?
    /// Held for as long as this keeper lives: there is one keeper for a container, and this is how it is found.
    private let lock: SharedDescriptor
    let faults: FaultPoints
    let openFiles: UInt64?
    /// As it was last read: for each run anew, since a new container's was not complete when its keeper was appointed.
    var container: KeeperV1.ContainerRecord
    let cgroup: Cgroup
    /// Looked for before anybody waited: the first run has nothing to clear away.
    var groupsAreClear = false
    /// nil for a container of a release that had none to give to keepers.
    private let reserve: DiskReserve?
    let keeperRecord: KeeperV1.KeeperRecord
    let spooler: Spooler
    let bootID: String
    var events: EventLog
    /// The present or last run.
    var initJob: Job?
    /// In the order in which they were started.
    var execs: [Job] = []
    var networkNamespace: SharedDescriptor?
    var connections: [ControlConnection] = []
    /// Connections of the stream socket whose request is not whole yet.
    var newClients: [StreamClient] = []
    var awaitsAdoption: Bool
    /// What came with Adopt packets of which another one follows.
    var custodians: [Custodian] = []
    var isReleased = false
    /// When it is to let go of memory, in boot time; nil: it has.
    var settlesAt: Int64?
    private let controlListener: SharedDescriptor
    private let streamListener: SharedDescriptor

    /// Takes up its place: reads the records, writes its own, listens.
    /// - Parameter supervisor: The connection that the supervisor left it with.
    /// - Throws: a `StepFailure` in text: what is missing for any keeper of this container.
    package init(_ options: Options, supervisor: consuming Descriptor?) throws {
        files = ContainerFiles(directory: options.directory, runDirectory: options.runDirectory)
        lock = try files.lock()
        faults = options.faults
        openFiles = options.openFiles
        container = try files.container()
        reserve = container.reserve.isEmpty ? nil : DiskReserve(path: container.reserve)
        cgroup = try Cgroup(container.cgroupPath, in: try options.groups ?? CgroupLayout.detect())
        bootID = try Boot.id()
        let identity = try System.ProcessIdentity(of: SystemEnvironment.processID)
        keeperRecord = KeeperV1.KeeperRecord(version: 1, process: identity.message, release: options.release)
        let limits = SpoolLimits(
            segmentBytes: container.outputMaxSegmentBytes,
            segments: Int(container.outputMaxSegments)
        )
        spooler = try Spooler(
            directory: files.spool,
            limits: limits,
            discards: container.outputDiscard,
            dropsWhenFull: container.outputDropWhenFull,
            expectsReader: container.outputReaderExpected,
            reserve: reserve,
            faults: options.faults
        )
        events = try EventLog(path: files.events)
        initJob = try files.run().map { Job(record: $0, phase: .finished) }
        if initJob.map({ $0.record.run > 1 }) ?? false { spooler.expectNobody() }
        execs = try files.execRecords().map { Job(record: $0, phase: .finished) }
        awaitsAdoption = options.adopts
        try Files.makeDirectories(options.runDirectory, mode: 0o700)
        let control = try UnixSocket.listen(.sequencedPacket, at: files.controlSocket, nonBlocking: true)
        controlListener = SharedDescriptor(control)
        let stream = try UnixSocket.listen(.stream, at: files.streamSocket, nonBlocking: true)
        streamListener = SharedDescriptor(stream)
        try saveOwnRecord()
        if let supervisor { connections.append(try ControlConnection(supervisor)) }
        // Records of a run that this keeper did not start, and nobody will hand over: of before a restart of the machine.
        if !awaitsAdoption { adopt([]) }
        groupsAreClear = initJob == nil && !cgroup.exists
    }

    private func saveOwnRecord() throws(SystemError) {
        try makingRoom(for: .record) { () throws(SystemError) in try files.save(keeperRecord) }
    }

    /// Runs what writes a record, with what the reserve has where the disk is full.
    func makingRoom<Value>(
        for purpose: DiskReserve.Purpose,
        _ write: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        guard let reserve else { return try write() }
        return try reserve.makingRoom(for: purpose, write)
    }

    var jobs: [Job] { (initJob.map { [$0] } ?? []) + execs }

    /// Serves until the container is released.
    package func run() throws {
        while !isReleased || connections.contains(where: { $0.isOpen && $0.interest.contains(.writable) }) {
            try takeTurn()
        }
    }

    // MARK: - One turn

    /// Waits until there is something to do, and does it.
    /// - Parameter limit: The longest wait, as boot time.
    func takeTurn(until limit: Int64? = nil) throws {
        var turn = Turn()
        collect(into: &turn)
        try Poll.wait(
            &turn.entries,
            deadlineNanos: [deadline(), turn.restsUntil, limit].compactMap(\.self).min()
        )
        for (entry, watch) in zip(turn.entries, turn.watches) where !entry.found.isEmpty {
            handle(watch, entry.found)
        }
        for job in jobs {
            advance(job)
            // Afterwards, since there may be an end to tell of that nothing else would bring up.
            serveClients(of: job)
            letGo(of: job)
        }
        connections.removeAll { !$0.isOpen }
        newClients.removeAll { !$0.isOpen }
        forgetOldExecs()
        settle()
    }

    /// What a descriptor in the poll set means.
    enum Watch {
        case control, stream
        case connection(ControlConnection)
        case newClient(StreamClient)
        case birth(Job)
        case status(Job)
        case process(Job)
        case output(Job, OutputSource)
        case client(Job, StreamClient)
        case input(Job)
    }

    struct Turn {
        var entries: [Poll.Entry] = []
        var watches: [Watch] = []
        /// When the first of the outputs that are not in the set is to be in it again.
        var restsUntil: Int64?

        mutating func add(_ descriptor: Int32, _ interest: Poll.Interest, _ watch: Watch) {
            entries.append(Poll.Entry(descriptor, interest))
            watches.append(watch)
        }
    }

    private func collect(into turn: inout Turn) {
        turn.add(controlListener.raw, .readable, .control)
        // Until then nobody can tell a client anything true.
        if !awaitsAdoption { turn.add(streamListener.raw, .readable, .stream) }
        for connection in connections {
            turn.add(connection.raw, connection.interest, .connection(connection))
        }
        for client in newClients { turn.add(client.raw, .readable, .newClient(client)) }
        for job in jobs { collect(job, into: &turn) }
    }

    private func collect(_ job: Job, into turn: inout Turn) {
        switch job.phase {
        case .building, .released:
            // What the status pipe holds counts at its end, of which poll tells unasked.
            if job.birth != nil, let process = job.process {
                turn.add(process.raw, .readable, .birth(job))
            } else if let status = job.status {
                turn.add(status.raw, [], .status(job))
            }
        case .running:
            // Once noticed it stays readable: from then on the clock asks.
            if job.endedAt == 0, let process = job.process { turn.add(process.raw, .readable, .process(job)) }
        case .executed, .ended, .finished: break
        }
        if let input = job.input, !input.isEmpty {
            turn.add(input.process.raw, .writable, .input(job))
        }
        let now = Clock.bootNanos
        for source in job.outputs where takesOutput(of: job, source) {
            if let time = source.restsUntil, time > now {
                turn.restsUntil = min(turn.restsUntil ?? time, time)
                continue
            }
            if let raw = source.watched { turn.add(raw, .readable, .output(job, source)) }
        }
        for client in job.clients {
            let isSending = client.isSending || client.wantsTurn
            turn.add(client.raw, isSending ? [.readable, .writable] : .readable, .client(job, client))
        }
    }

    /// Whether there is room for the output: in the spool, in the exec's stage. A detached exec's goes nowhere.
    private func takesOutput(of job: Job, _ source: OutputSource) -> Bool {
        guard job.isExec else { return spooler.takesOutput }
        return source.stage?.hasRoom ?? true
    }

    private func handle(_ watch: Watch, _ found: Poll.Interest) {
        switch watch {
        case .control: acceptConnection()
        case .stream: acceptClient()
        case .connection(let connection): serve(connection, found)
        case .newClient(let client): attach(client)
        case .birth(let job): receive(job)
        case .status(let job): readStatus(of: job)
        case .process(let job): noticeEnd(of: job)
        case .output(let job, let source): takeOutput(source, of: job, hungUp: found.contains(.hungUp))
        case .client(let job, let client):
            if !found.isDisjoint(with: [.readable, .hungUp, .failed]) { read(client, of: job) }
        case .input(let job): deliverInput(of: job)
        }
    }

    /// When to look again without being told, in boot time.
    private func deadline() -> Int64? {
        var times = [settlesAt].compactMap(\.self)
        if let retryAt = spooler.retryAt, initJob?.isDrained == false { times.append(retryAt) }
        for job in jobs { if let time = nextLook(at: job) { times.append(time) } }
        return times.min()
    }

    private func acceptConnection() {
        do {
            let socket = try StreamSocket.accept(controlListener.raw, nonBlocking: true)
            guard try SocketMessages.peer(of: socket.raw).uid == CurrentProcess.userID else { return }
            connections.append(try ControlConnection(socket))
        } catch {
            // Gone again, or no descriptor to spare: it will try again.
        }
    }

    private func acceptClient() {
        do {
            let socket = try StreamSocket.accept(streamListener.raw, nonBlocking: true)
            guard try SocketMessages.peer(of: socket.raw).uid == CurrentProcess.userID else { return }
            newClients.append(StreamClient(socket))
        } catch {
            // As above.
        }
    }
}
