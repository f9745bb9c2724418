// SPDX-License-Identifier: Apache-2.0
internal import Messages
package import Suite
package import System

/// petrel-init: starts the suite's daemons, starts them again when they die, and holds what must outlive them.
///
/// Owns the listening sockets, the stored descriptors, the notification and the control socket. One thread; what to do
/// is decided by `Schedule`, this loop carries it out.
package final class Init {
    package struct Options: Sendable {
        package let location: SuiteLocation
        /// Folder of the daemons' executables.
        package let executables: String
        package let faultPoints: FaultPoints
        /// petrel-init's own environment, `NAME=value`.
        package let environment: [String]

        package init(
            location: SuiteLocation,
            executables: String,
            faultPoints: FaultPoints,
            environment: [String]
        ) {
            self.location = location
            self.executables = executables
            self.faultPoints = faultPoints
            self.environment = environment
        }
    }

    let options: Options
    var schedule: Schedule
    let daemons: [ManagedDaemon]
    var isShuttingDown = false
    /// Nothing has happened for a while: the code that handled the last event was let go of.
    private var isSettled = false
    private static let settlesAfterNanos: Int64 = 5_000_000_000
    let records: DaemonRecords
    private let signals: SignalQueue
    let notifications: Descriptor
    private var control: ControlSocket
    private let lock: DaemonLock

    /// Takes the lock, binds the sockets and adopts daemons that still run. Starts nothing yet.
    /// - Throws: `.alreadyRunning` when another petrel-init serves this root.
    package init(_ options: Options, definitions: [DaemonDefinition] = DaemonDefinition.suite)
        throws(SuiteError)
    {
        self.options = options
        let location = options.location
        try location.prepare()
        lock = try DaemonLock(daemon: "init", at: location)
        schedule = Schedule(names: definitions.map(\.name))
        daemons = definitions.map(ManagedDaemon.init)
        do throws(SystemError) {
            try ResourceLimits.raiseOpenFiles()
            try Children.adoptOrphans()
            Signal.pipe.ignore()
            signals = try SignalQueue([.childEnded, .terminate, .interrupt, .hangUp])
            records = try DaemonRecords(run: location.run)
            notifications = try UnixSocket.listen(.datagram, at: location.notifySocket, nonBlocking: true)
            try SocketMessages.passCredentials(notifications.raw)
            control = try ControlSocket(at: location.socket(of: "init"))
        } catch {
            throw .system(error)
        }
    }

    /// Starts every daemon and serves until SIGTERM, SIGINT or a SHUTDOWN request; all daemons are stopped then.
    package func run() throws(SystemError) {
        let now = Clock.bootNanos
        for daemon in daemons {
            adoptRunning(daemon)
            try bindListener(of: daemon)
        }
        schedule.start(schedule.names, now: now)
        options.faultPoints.reach("init.start.ready")
        while true {
            takeSteps()
            control.settle(now: Clock.bootNanos, outcome)
            if isShuttingDown, schedule.isAllStopped, !control.hasPending { break }
            try waitAndHandle()
        }
        removeSockets()
    }

    // MARK: The loop

    private func waitAndHandle() throws(SystemError) {
        let adopted = daemons.filter { $0.process != nil }
        var entries = [Poll.Entry(signals.raw), Poll.Entry(notifications.raw)]
        entries += adopted.compactMap { $0.process.map { Poll.Entry($0.raw) } }
        let first = entries.count
        entries += control.pollEntries
        let settling = isSettled ? nil : Clock.bootNanos + Self.settlesAfterNanos
        let deadlines = [schedule.deadline, control.deadline, settling].compactMap { $0 }
        try Poll.wait(&entries, deadlineNanos: deadlines.min())
        isSettled = entries.allSatisfy { $0.found.isEmpty }
        if isSettled, settling != nil { ProgramMemory.releaseCode() }
        // Notifications before deaths: what a daemon said before it died counts.
        if !entries[1].found.isEmpty { receiveNotifications() }
        if !entries[0].found.isEmpty { try receiveSignals() }
        for (daemon, entry) in zip(adopted, entries[2..<first]) where !entry.found.isEmpty {
            adoptedEnded(daemon)
        }
        control.handle(Array(entries[first...]), answer)
    }

    private func takeSteps() {
        // Spawning may fail at once, which makes a next step due later, not now: one pass is enough.
        for step in schedule.due(now: Clock.bootNanos) {
            switch step {
            case .spawn(let name): if let daemon = daemon(name) { spawn(daemon) }
            case .terminate(let name): signal(name, .terminate)
            case .kill(let name):
                report(
                    "\(name) did not end within \(DaemonLifecycle.stopGraceNanos / 1_000_000_000) s, killing it"
                )
                signal(name, .kill)
            }
        }
    }

    private func receiveSignals() throws(SystemError) {
        while let signal = try signals.next() {
            switch signal {
            case .childEnded:
                while let ended = try Children.reapNext() {
                    guard let name = schedule.name(ofProcess: ended.pid) else { continue }
                    processEnded(name, status: ended.waitStatus)
                }
            case .terminate, .interrupt: shutDown()
            default: continue
            }
        }
    }

    func shutDown() {
        guard !isShuttingDown else { return }
        isShuttingDown = true
        report("stopping all daemons")
        schedule.stop(schedule.names)
    }
}
