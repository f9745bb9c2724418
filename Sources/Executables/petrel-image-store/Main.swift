// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Events
import Logging
import Suite
import System

/// The image store: content by digest, image names, layers and snapshots.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "petrel-image-store",
        abstract: "Keep images, their layers and the snapshots on them; started by petrel-init or systemd.",
        version: Release.version
    )

    @Option(help: "Where lasting state is kept (PETREL_ROOT).") var root: String?
    @Option(help: "Where sockets are kept (PETREL_RUN).") var run: String?
    @Option(help: "For tests: the folder in which fault points are armed (PETREL_FAULT_POINTS).")
    var faultPoints: String?
    @Option(
        help: "Users and passwords for registries, as in Docker's config.json (PETREL_REGISTRY_CREDENTIALS)."
    )
    var registryCredentials: String?
    @Option(help: "Tell Prometheus of calls and memory at ADDRESS:PORT (PETREL_IMAGE_STORE_METRICS).")
    var metrics: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical (PETREL_LOG_LEVEL).")
    var logLevel: String?

    func run() async throws {
        // First of all: the descriptors that were handed over must not be closed or used for anything else.
        let inherited = InheritedDescriptors.take()
        let notifier = Notifier.take()
        // A client that goes away is an error of that write, not the end of this process.
        Signal.pipe.ignore()
        SmallProgram.begin()
        try? ResourceLimits.raiseOpenFiles()
        let level = logLevel ?? SystemEnvironment.value(of: "PETREL_LOG_LEVEL") ?? "notice"
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = Logger.Level(rawValue: level) ?? .notice
            return handler
        }
        let location = try SuiteLocation(root: root, run: run)
        try location.prepare()
        let lock = try DaemonLock(daemon: Wiring.daemon, at: location)
        let wiring = Wiring(
            location: location,
            inherited: inherited,
            notifier: notifier,
            faults: FaultPoints(directory: faultPoints ?? SystemEnvironment.value(of: "PETREL_FAULT_POINTS")),
            credentials: CredentialsFile(
                path: registryCredentials ?? SystemEnvironment.value(of: "PETREL_REGISTRY_CREDENTIALS")
            ),
            metrics: metrics
        )
        try await wiring.serve()
        // Held to here.
        _ = consume lock
    }
}
