// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Events
import Logging
import Suite
import System

/// The engine: containers as users know them.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "petrel-engine",
        abstract: "Serve containers, images and events to users; started by petrel-init or systemd.",
        version: Release.version
    )

    @Option(help: "Where lasting state is kept (PETREL_ROOT).") var root: String?
    @Option(help: "Where sockets are kept (PETREL_RUN).") var run: String?
    @Option(help: "Tell Prometheus of calls and memory at ADDRESS:PORT (PETREL_ENGINE_METRICS).")
    var metrics: String?
    @Option(help: "For tests: the folder in which fault points are armed.") var faultPoints: String?

    func run() async throws {
        // First of all: the descriptors that were handed over must not be closed or used for anything else.
        let inherited = InheritedDescriptors.take()
        let notifier = Notifier.take()
        // A client that goes away is an error of that write, not the end of this process.
        Signal.pipe.ignore()
        SmallProgram.begin()
        LoggingSystem.bootstrap { label in StreamLogHandler.standardError(label: label) }
        let location = try SuiteLocation(root: root, run: run)
        try location.prepare()
        let lock = try DaemonLock(daemon: Wiring.daemon, at: location)
        let wiring = try Wiring(
            location: location,
            inherited: inherited,
            notifier: notifier,
            faults: FaultPoints(directory: faultPoints),
            metrics: metrics
        )
        try await wiring.serve()
        // Held to here.
        _ = consume lock
    }
}
