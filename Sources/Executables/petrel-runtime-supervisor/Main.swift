// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Suite
import System

/// petrel-runtime-supervisor: keeps containers running, and is in none of their data paths.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "petrel-runtime-supervisor",
        abstract: "Keeps containers and their keepers, and records what becomes of them.",
        version: Release.version
    )

    @Option(help: "Where everything that outlives a boot is kept (PETREL_ROOT, /var/lib/petrel).")
    var root: String?

    @Option(help: "Where sockets are (PETREL_RUN, /run/petrel).")
    var run: String?

    @Option(help: "For tests: a directory of fault points (PETREL_FAULT_POINTS).")
    var faultPoints: String?

    @Option(help: "The keeper's executable; by default petrel-keeper beside this one (PETREL_KEEPER).")
    var keeper: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical (PETREL_LOG_LEVEL).")
    var logLevel: String?

    func run() async throws {
        // First of all, while there is one thread: all others inherit the mask.
        let signals = try SignalQueue([.terminate, .interrupt, .hangUp, .childEnded])
        Signal.pipe.ignore()
        Threads.setFileCreationMask(0o022)
        let inherited = InheritedDescriptors.take()
        let notifier = Notifier.take()
        // Orphans of a keeper that dies come here, where their exit is seen at once.
        try Children.adoptOrphans()
        _ = try? ResourceLimits.raiseOpenFiles()
        let daemon = try Daemon(options: self, inherited: inherited, notifier: notifier)
        try await daemon.run(signals: signals)
    }
}
