// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Events
import Seccomp
import Suite
import System

/// petrel-runtime-supervisor: keeps containers running, and is in none of their data paths.
@main
enum Main {
    /// Synchronous: the end of an `async` main is libdispatch's, which lets the main thread take every
    /// signal. Here all threads keep them blocked, and the queue gets them.
    static func main() {
        SmallProgram.begin()
        if CommandLine.arguments.dropFirst().elementsEqual([FilterProcess.word]) { compileFilter() }
        let options = parseOptions()
        let exitCode = Monitor<Int32?>(nil)
        do {
            let signals = SignalSource(try SignalQueue([.terminate, .interrupt, .hangUp, .childEnded]))
            Signal.pipe.ignore()
            // Where it cannot be had, everything is only slower beside busy containers.
            try? Scheduling.preferShortTurns()
            Threads.setFileCreationMask(0o022)
            let inherited = InheritedDescriptors.take()
            let notifier = Notifier.take()
            // Orphans of a keeper that dies come here, where their exit is seen at once.
            try Children.adoptOrphans()
            try? ResourceLimits.raiseOpenFiles()
            // The one task without a parent: everything else is its child.
            Task { @concurrent in
                do {
                    let daemon = try Daemon(options: options, inherited: inherited, notifier: notifier)
                    try await daemon.run(signals: signals)
                    exitCode.withLock { $0 = 0 }
                } catch {
                    report(error)
                    exitCode.withLock { $0 = 1 }
                }
            }
        } catch {
            report(error)
            CurrentProcess.exit(1)
        }
        CurrentProcess.exit(exitCode.wait { $0 })
    }

    /// For another process of this program (see `FilterProcess`).
    private static func compileFilter() -> Never {
        do { try FilterProcess.serve() } catch {
            report(error)
            CurrentProcess.exit(1)
        }
        CurrentProcess.exit(0)
    }

    private static func parseOptions() -> Options {
        do {
            var command = try Options.parseAsRoot()
            // Help and version are commands of their own.
            guard let options = command as? Options else {
                try command.run()
                CurrentProcess.exit(0)
            }
            return options
        } catch {
            Options.exit(withError: error)
        }
    }

    private static func report(_ error: any Error) {
        try? Files.writeAll(2, Array("petrel-runtime-supervisor: \(error)\n".utf8))
    }
}

struct Options: ParsableCommand {
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

    @Option(help: "Tell Prometheus of calls and memory at ADDRESS:PORT (PETREL_SUPERVISOR_METRICS).")
    var metrics: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical (PETREL_LOG_LEVEL).")
    var logLevel: String?
}
