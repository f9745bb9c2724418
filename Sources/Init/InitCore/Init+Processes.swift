// SPDX-License-Identifier: Apache-2.0
internal import Suite
internal import System

/// The daemons' processes: starting, signalling, adopting and burying them.
extension Init {
    func daemon(_ name: String) -> ManagedDaemon? { daemons.first { $0.definition.name == name } }

    /// Makes the listening socket if this process does not hold it yet. A daemon that runs without our having its
    /// socket keeps its own.
    func bindListener(of daemon: ManagedDaemon) throws(SystemError) {
        let definition = daemon.definition
        guard daemon.listener == nil, schedule[definition.name].pid == nil else { return }
        let socket = try UnixSocket.listen(
            .stream,
            at: options.location.socket(of: definition.name),
            mode: definition.socketMode,
            group: SocketGroup.id(forMode: definition.socketMode),
            nonBlocking: true
        )
        daemon.listener = SharedDescriptor(socket)
    }

    func spawn(_ daemon: ManagedDaemon) {
        let name = daemon.definition.name
        // One that an earlier petrel-init started, and died before it wrote that down, holds the daemon's lock.
        guard !adoptRunning(daemon) else { return }
        do throws(SystemError) {
            let child = try start(daemon)
            options.faultPoints.reach("init.spawn.started")
            daemon.startedAtWallNanos = Clock.wallNanos
            schedule[name].spawned(pid: child.pid, now: Clock.bootNanos)
            writeRecord(of: daemon)
            options.faultPoints.reach("init.spawn.recorded")
            report("\(name): started, pid \(child.pid)")
        } catch {
            schedule[name].spawnFailed(now: Clock.bootNanos)
            report("\(name): cannot start: \(error)")
        }
    }

    private func start(_ daemon: ManagedDaemon) throws(SystemError) -> Spawn.Child {
        try bindListener(of: daemon)
        guard let listener = daemon.listener else { throw SystemError("listen", code: 9) }
        let name = daemon.definition.name
        let location = options.location
        let log = try daemon.openLog(at: location.log(of: name))
        let plan = LaunchPlan(
            daemon: name,
            root: location.root,
            run: location.run,
            faultPoints: options.faultPoints.path,
            notifySocket: location.notifySocket,
            storedNames: daemon.store.entries.map(\.name),
            inherited: options.environment,
            openFiles: try ResourceLimits.originalOpenFiles()
        )
        let program = Spawn(
            path: options.executables + "/" + daemon.definition.executable,
            arguments: plan.arguments,
            environment: plan.environment,
            descriptors: daemon.descriptors(log: log.raw, listener: listener.raw),
            newSession: true
        )
        return try program.start()
    }

    func signal(_ name: String, _ signal: Signal) {
        guard let pid = schedule[name].pid else { return }
        do throws(SystemError) {
            // An adopted process is no child, so its number might be another's by now; its handle is not.
            if let process = daemon(name)?.process {
                try ProcessHandle.signal(process.raw, signal)
            } else {
                try signal.send(to: pid)
            }
        } catch {
            report("\(name): cannot send signal \(signal.rawValue): \(error)")
        }
    }

    func processEnded(_ name: String, status: Int32?) {
        let pid = schedule[name].pid ?? 0
        daemon(name)?.process = nil
        schedule.exited(name, status: status, now: Clock.bootNanos)
        records.remove(name)
        report("\(name): pid \(pid) ended, \(WaitStatus(status).description)")
    }

    /// A process that is not our child has ended.
    func adoptedEnded(_ daemon: ManagedDaemon) {
        guard let process = daemon.process else { return }
        processEnded(daemon.definition.name, status: ProcessHandle.waitStatus(process.raw))
    }

    /// Takes over a process of this daemon that runs already: the recorded one, or whoever holds the daemon's lock.
    /// - Returns: Whether there was one.
    @discardableResult
    func adoptRunning(_ daemon: ManagedDaemon) -> Bool {
        let name = daemon.definition.name
        let record = records.read(name)
        let recorded = record.flatMap { $0.identity.isPresent ? $0.identity.pid : nil }
        guard let pid = recorded ?? LockHolder.pid(of: name, at: options.location) else { return false }
        do throws(SystemError) {
            let process = SharedDescriptor(try ProcessHandle.open(pid))
            // Between reading the number and opening the handle the process may have gone, and another come.
            if let record, recorded != nil, !record.identity.isPresent { return false }
            if try ProcessStatus(of: pid).state == "Z" { return false }
            daemon.process = process
            daemon.startedAtWallNanos = record?.startedAtWallNanos ?? Clock.wallNanos
            schedule[name] = DaemonLifecycle(restarts: record?.restarts ?? 0)
            schedule[name].adopted(pid: pid, ready: record?.isReady ?? false, since: Clock.bootNanos)
            if daemon.listener != nil, !isListener(of: daemon, heldBy: process.raw) {
                // An earlier petrel-init started it at the moment of its own death; it had no lock yet when this one
                // looked, and bound the path to a socket of its own.
                daemon.listener = nil
                schedule.restart([name], now: Clock.bootNanos)
                report("\(name): pid \(pid) listens where nobody can reach it, and is started again")
                return true
            }
            fetchListener(of: daemon, from: process.raw)
            writeRecord(of: daemon)
            // It stores its descriptors again, and says again that it is ready.
            try ProcessHandle.signal(process.raw, .hangUp)
            report("\(name): adopted pid \(pid)")
            return true
        } catch {
            return false
        }
    }

    private func isListener(of daemon: ManagedDaemon, heldBy process: Int32) -> Bool {
        guard let ours = daemon.listener, let socket = try? ProcessHandle.descriptor(3, of: process),
            let known = try? Files.status(ofDescriptor: ours.raw),
            let found = try? Files.status(ofDescriptor: socket.raw)
        else { return false }
        return known.device == found.device && known.inode == found.inode
    }

    private func fetchListener(of daemon: ManagedDaemon, from process: Int32) {
        guard daemon.listener == nil else { return }
        do throws(SystemError) {
            let socket = try ProcessHandle.descriptor(3, of: process)
            guard UnixSocket.isListening(socket.raw) else {
                throw SystemError("getsockopt(SO_ACCEPTCONN)", code: 22)
            }
            daemon.listener = SharedDescriptor(socket)
        } catch {
            report("\(daemon.definition.name): its listening socket cannot be fetched: \(error)")
        }
    }

    func writeRecord(of daemon: ManagedDaemon) {
        let life = schedule[daemon.definition.name]
        guard let pid = life.pid else { return }
        do throws(SystemError) {
            let record = DaemonRecords.Found(
                identity: try ProcessIdentity(of: pid),
                startedAtWallNanos: daemon.startedAtWallNanos,
                restarts: life.restarts,
                isReady: life.isReady
            )
            try records.write(daemon.definition.name, record)
        } catch {
            report("\(daemon.definition.name): cannot record pid \(pid): \(error)")
        }
    }

    func removeSockets() {
        let location = options.location
        for name in schedule.names + ["init"] { try? Files.unlink(location.socket(of: name)) }
        try? Files.unlink(location.notifySocket)
    }

    /// One line in petrel-init's own log, its standard error.
    func report(_ text: String) {
        let line =
            Timestamp(unixNanos: Clock.wallNanos).rfc3339(fractionDigits: 3) + " petrel-init: " + text + "\n"
        try? Files.writeAll(2, Array(line.utf8))
    }
}
