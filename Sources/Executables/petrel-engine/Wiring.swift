// SPDX-License-Identifier: Apache-2.0
import EngineCore
import EngineService
import Events
import Logging
import RPC
import ServiceLifecycle
import Suite
import System
import Telemetry
import UnixSignals

/// Puts the engine together and runs it until SIGTERM.
struct Wiring: Sendable {
    static let daemon = "engine"
    /// Calls that do not end by themselves (followers, waits) are cancelled after that, and have as long again to end.
    private static let drainLimit = Duration.seconds(5)
    /// For what else does not end: after the server has given up, and before petrel-init does, which is after 15 s.
    private static let endLimit = Duration.seconds(12)

    private let location: SuiteLocation
    private let inherited: InheritedDescriptors
    private let notifier: Notifier
    private let logger: Logger
    private let poller: Poller
    private let supervisor: Channel
    private let store: Channel
    private let engine: Engine
    private let server: RPCServer
    private let monitoring: Monitoring
    private let repaired = AsyncStream<Void>.makeStream()

    init(
        location: SuiteLocation,
        inherited: InheritedDescriptors,
        notifier: Notifier,
        faults: FaultPoints,
        metrics: String?
    ) throws {
        self.location = location
        self.inherited = inherited
        self.notifier = notifier
        logger = Logger(label: "petrel-engine")
        poller = try Poller()
        supervisor = Channel(unixSocket: location.socket(of: "supervisor"))
        store = Channel(unixSocket: location.socket(of: "image-store"))
        let images = ImageStorePeer(channel: store)
        engine = try Engine(
            at: location,
            release: Release.version,
            supervisor: SupervisorPeer(channel: supervisor),
            images: images,
            poller: poller,
            faults: faults,
            logger: logger,
            executor: EventLoop.shared
        )
        monitoring = try Monitoring(address: metrics, daemon: Self.daemon, logger: logger)
        server = RPCServer(
            services: [
                ContainerHandlers(engine: engine),
                ImageHandlers(engine: engine, store: images),
                SystemHandlers(engine: engine),
            ],
            quick: ContainerHandlers.quick,
            observers: monitoring.observers,
            logger: logger,
            gracePeriod: Self.drainLimit,
            onStop: { [engine] in engine.noteStopping() }
        )
    }

    /// Stops in the reverse order of starting: first no more calls, then the engine.
    func serve() async throws {
        var configuration = ServiceGroupConfiguration(
            services: [
                EngineRun(wiring: self), ServerRun(wiring: self), ReloadRun(wiring: self),
                MetricsRun(wiring: self),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = Wiring.endLimit
        // Without it, everything is only larger.
        try? SmallProgram.keep()
        try await ServiceGroup(configuration: configuration).run()
        poller.stop()
        await supervisor.close()
        await store.close()
    }

    private struct EngineRun: Service {
        let wiring: Wiring

        func run() async throws {
            let engine = wiring.engine
            let repaired = wiring.repaired.continuation
            do {
                try await cancelWhenGracefulShutdown {
                    try await engine.run { repaired.finish() }
                }
            } catch is CancellationError {
                // The usual end.
            }
        }
    }

    /// Serves from when repair has made the state whole; the socket keeps earlier callers waiting.
    private struct ServerRun: Service {
        let wiring: Wiring

        func run() async throws {
            let socket = try Listener.open(
                daemon: Wiring.daemon,
                at: wiring.location,
                inherited: wiring.inherited,
                mode: 0o660
            )
            await cancelWhenGracefulShutdown { for await _ in wiring.repaired.stream {} }
            try Task.checkCancellation()
            if Task.isShuttingDownGracefully { return }
            wiring.notifier.ready()
            let server = wiring.server
            let notifier = wiring.notifier
            // A descriptor cannot be captured for the scope below, its number can.
            let raw = socket.relinquish()
            try await withGracefulShutdownHandler {
                try await server.serve(listening: Descriptor(adopting: raw))
            } onGracefulShutdown: {
                notifier.stopping()
                server.gracefulShutdown()
            }
        }
    }

    private struct MetricsRun: Service {
        let wiring: Wiring

        func run() async throws {
            let monitoring = wiring.monitoring
            try await cancelWhenGracefulShutdown { try await monitoring.run() }
        }
    }

    /// A restarted petrel-init asks with SIGHUP for everything to be told again.
    private struct ReloadRun: Service {
        let wiring: Wiring

        func run() async throws {
            let signals = await UnixSignalsSequence(trapping: .sighup)
            let notifier = wiring.notifier
            await cancelWhenGracefulShutdown {
                for await _ in signals { notifier.ready() }
            }
        }
    }
}
