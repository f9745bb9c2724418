// SPDX-License-Identifier: Apache-2.0
import Cgroups
import Events
import Logging
import RPC
import Seccomp
import Suite
import SupervisorCore
import SupervisorService
import Synchronization
import System
import Telemetry

/// The daemon's parts, wired by hand, and its life from start to drain.
struct Daemon: ~Copyable {
    private let location: SuiteLocation
    private let inherited: InheritedDescriptors
    private let notifier: Notifier
    private let store: NotifierStore
    private let lock: DaemonLock
    private let poller: Poller
    private let supervisor: Supervisor
    private let surroundings: Surroundings
    private let server: RPCServer
    private let monitoring: Monitoring
    private let logger: Logger

    init(options: Options, inherited: InheritedDescriptors, notifier: Notifier) throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "supervisor")
        let level = options.logLevel ?? SystemEnvironment.value(of: "PETREL_LOG_LEVEL") ?? "notice"
        logger.logLevel = Logger.Level(rawValue: level) ?? .notice
        let location = try SuiteLocation(root: options.root, run: options.run)
        try location.prepare()
        let lock = try DaemonLock(daemon: "supervisor", at: location)
        let faultPoints = options.faultPoints ?? SystemEnvironment.value(of: "PETREL_FAULT_POINTS")
        let faults = FaultPoints(directory: faultPoints)
        let store = NotifierStore(notifier: notifier)
        let surroundings = try Self.surroundings(options, location, faults, store, logger)
        let directory = location.directory(of: "supervisor")
        let supervisor = try Supervisor(
            directory: directory,
            runDirectory: location.run,
            seccomp: try SeccompCache(directory: directory + "/seccomp", compiler: FilterProcess()),
            surroundings: surroundings
        )
        monitoring = try Monitoring(address: options.metrics, daemon: "supervisor", logger: logger)
        self.server = RPCServer(
            services: [SupervisorHandlers(supervisor: supervisor, release: Release.version)],
            quick: SupervisorHandlers.quick,
            observers: monitoring.observers,
            logger: logger
        )
        self.location = location
        self.inherited = inherited
        self.notifier = notifier
        self.store = store
        self.lock = lock
        self.poller = surroundings.poller
        self.supervisor = supervisor
        self.surroundings = surroundings
        self.logger = logger
    }

    private static func surroundings(
        _ options: Options,
        _ location: SuiteLocation,
        _ faults: FaultPoints,
        _ store: NotifierStore,
        _ logger: Logger
    ) throws -> Surroundings {
        let poller = try Poller()
        let directory = location.directory(of: "supervisor")
        let journal = try Journal(
            directory: directory + "/journal",
            bootID: try Boot.id(),
            remaining: try ContainerDirectory.remaining(in: directory + "/containers"),
            thread: try SerialThread(),
            faults: faults,
            reserve: location.reserve
        )
        for line in journal.damage { logger.error("journal", metadata: ["damage": "\(line)"]) }
        let keeper =
            try options.keeper ?? SystemEnvironment.value(of: "PETREL_KEEPER") ?? siblingKeeper()
        return Surroundings(
            journal: journal,
            poller: poller,
            keepers: try KeeperProgram(
                executable: keeper,
                directory: directory,
                runDirectory: location.run,
                logFile: location.log(of: "keeper"),
                faults: faults,
                poller: poller
            ),
            store: store,
            works: Works(),
            ended: EndedChildren(),
            faults: faults,
            bootID: try Boot.id(),
            cgroups: try CgroupLayout.detect(),
            cgroupParent: try location.suiteName(),
            reserve: location.reserve,
            release: Release.version,
            logger: logger
        )
    }

    /// Takes up what is there, serves until SIGTERM, and drains. Containers and keepers go on.
    func run(signals: SignalSource) async throws {
        let (supervisor, surroundings, server, poller) = (supervisor, surroundings, server, poller)
        let (notifier, store, inherited, monitoring) = (notifier, store, inherited, monitoring)
        let readiness = Readiness(notifier: notifier)
        let socket = SharedDescriptor(
            try Listener.open(daemon: "supervisor", at: location, inherited: inherited)
        )
        let ready = try signals.descriptor()
        // Without it, everything is only larger.
        try? SmallProgram.keep()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await surroundings.works.run() }
            group.addTask { try await monitoring.run() }
            group.addTask { try await store.catchUp { await supervisor.storeAgain() } }
            group.addTask {
                while true {
                    try await poller.readable(ready)
                    while let signal = try signals.next() {
                        switch signal {
                        case .childEnded: surroundings.ended.reap()
                        case .hangUp:
                            await supervisor.storeAgain()
                            readiness.repeat()
                        default:
                            notifier.stopping()
                            server.gracefulShutdown()
                        }
                    }
                }
            }
            surroundings.ended.reap()
            try await supervisor.recover(stored: Self.custody(in: inherited))
            await supervisor.settle(untilBootNanos: Clock.bootNanos + 5_000_000_000)
            readiness.declare()
            logger.notice("ready", metadata: ["release": "\(Release.version)"])
            try await server.serve(listening: try socket.duplicate())
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
        // Where no container is left, nothing is.
        try Cgroup(surroundings.cgroupParent, in: surroundings.cgroups).removeIfEmpty()
        logger.notice("drained")
        _ = lock
    }

    /// From here on they are the supervisor's alone.
    private static func custody(
        in inherited: InheritedDescriptors
    ) -> [(name: String, descriptor: SharedDescriptor)] {
        inherited.take { CustodyName.parse($0) != nil }.map { (name: $0.name, descriptor: $0.descriptor) }
    }

    private static func siblingKeeper() throws -> String {
        Files.parentPath(of: try Files.link(at: "/proc/self/exe")) + "/petrel-keeper"
    }
}

/// Says that the daemon serves; again to a petrel-init that came too late to hear it.
private final class Readiness: Sendable {
    private let notifier: Notifier
    private let isDeclared = Mutex(false)

    init(notifier: Notifier) { self.notifier = notifier }

    func declare() {
        isDeclared.withLock { $0 = true }
        notifier.ready()
    }

    func `repeat`() {
        if isDeclared.withLock({ $0 }) { notifier.ready() }
    }
}

/// The signal queue in a form that tasks can share.
final class SignalSource: Sendable {
    private let queue: SignalQueue

    init(_ queue: consuming SignalQueue) { self.queue = queue }

    /// For the poller.
    func descriptor() throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(try SystemEnvironment.duplicate(queue.raw))
    }

    /// The next signal; nil when none waits.
    func next() throws(SystemError) -> Signal? { try queue.next() }
}
