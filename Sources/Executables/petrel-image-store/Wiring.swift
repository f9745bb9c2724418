// SPDX-License-Identifier: Apache-2.0
import Events
import ImageStoreCore
import ImageStoreService
import Logging
import RPC
import Registry
import ServiceLifecycle
import Suite
import System
import Telemetry
import UnixSignals

/// Puts the image store together and runs it until SIGTERM.
struct Wiring: Sendable {
    static let daemon = "image-store"
    /// Calls that take longer are cancelled then; what they have not finished is undone or taken up again later.
    private static let drainLimit = Duration.seconds(5)
    /// Between collections of what failed operations left.
    private static let collectionInterval = Duration.seconds(600)

    let location: SuiteLocation
    let inherited: InheritedDescriptors
    let notifier: Notifier
    let faults: FaultPoints
    let credentials: CredentialsFile
    let metrics: String?
    private let logger = Logger(label: "petrel-image-store")

    init(
        location: SuiteLocation,
        inherited: InheritedDescriptors,
        notifier: Notifier,
        faults: FaultPoints,
        credentials: CredentialsFile,
        metrics: String?
    ) {
        self.metrics = metrics
        self.location = location
        self.inherited = inherited
        self.notifier = notifier
        self.faults = faults
        self.credentials = credentials
    }

    /// Opens the store, serves, drains, and closes it again.
    func serve() async throws {
        let (credentials, location) = (credentials, location)
        let monitoring = try Monitoring(address: metrics, daemon: Self.daemon, logger: logger)
        // The socket exists before the store is whole, so callers wait instead of being refused.
        let socket = SharedDescriptor(
            try Listener.open(daemon: Self.daemon, at: location, inherited: inherited)
        )
        let registry = RegistryClient(logger: logger) { credentials.credentials(for: $0) }
        do {
            let store = try await ImageStore(
                path: location.directory(of: Self.daemon),
                registry: registry,
                faults: faults,
                logger: logger,
                reserve: location.reserve
            )
            let server = RPCServer(
                services: [ImageStoreHandlers(store: store, release: Release.version)],
                observers: monitoring.observers,
                logger: logger
            )
            var configuration = ServiceGroupConfiguration(
                services: [
                    Collection(store: store, interval: Self.collectionInterval, logger: logger),
                    Serving(server: server, socket: socket, notifier: notifier),
                    Reloading(notifier: notifier),
                    Telling(monitoring: monitoring),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
            configuration.maximumGracefulShutdownDuration = Self.drainLimit
            // Without it, everything is only larger.
            try? SmallProgram.keep()
            try await ServiceGroup(configuration: configuration).run()
            store.close()
        } catch {
            await registry.shutdown()
            throw error
        }
        await registry.shutdown()
    }

    private struct Serving: Service {
        let server: RPCServer
        let socket: SharedDescriptor
        let notifier: Notifier

        func run() async throws {
            let (server, notifier) = (server, notifier)
            notifier.ready()
            try await withGracefulShutdownHandler {
                try await server.serve(listening: try socket.duplicate())
            } onGracefulShutdown: {
                notifier.stopping()
                server.gracefulShutdown()
            }
        }
    }

    /// A restarted petrel-init asks with SIGHUP for everything to be told again.
    private struct Reloading: Service {
        let notifier: Notifier

        func run() async throws {
            let signals = await UnixSignalsSequence(trapping: .sighup)
            let notifier = notifier
            await cancelWhenGracefulShutdown {
                for await _ in signals { notifier.ready() }
            }
        }
    }

    private struct Telling: Service {
        let monitoring: Monitoring

        func run() async throws {
            let monitoring = monitoring
            try await cancelWhenGracefulShutdown { try await monitoring.run() }
        }
    }

    /// Removes now and then what failed operations left, which a repetition would have used.
    private struct Collection: Service {
        let store: ImageStore
        let interval: Duration
        let logger: Logger

        func run() async throws {
            try? await cancelWhenGracefulShutdown {
                while true {
                    try await Task.sleep(for: interval)
                    do {
                        try await store.collectGarbage()
                    } catch {
                        logger.error("garbage collection failed", metadata: ["error": "\(error)"])
                    }
                }
            }
        }
    }
}
