// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering
import Suite
import System

struct SystemStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        _superCommandName: Petrel.name,
        abstract: "Start Petrel's daemons, and wait until they are healthy.",
        discussion: "Daemons that run are left alone.\n\nEXAMPLE:\n  petrel --root /srv/petrel system start"
    )

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Folder of the daemons' executables (default: this program's).", valueName: "dir")
    )
    var bin: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("For tests: die where a file in it says so.", visibility: .private)
    )
    var faultPoints: String?
    @Option(parsing: .unconditional, help: ArgumentHelp("How long to wait.", valueName: "seconds"))
    var timeout: UInt32 = 60
    @Argument(help: "Only these: image-store, supervisor, engine.") var daemons: [String] = []
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let initClient = InitClient(location: try place.location())
        guard CurrentProcess.userID == 0 else {
            throw Failure("system start", "needs root", advice: "Try it with sudo.")
        }
        if try initClient.ask(InitV1.Request(action: .status), what: "system start") == nil {
            try await initClient.launch(executables: bin, faultPoints: faultPoints, what: "system start")
        }
        let request = InitV1.Request(action: .start, daemons: daemons, timeoutMillis: timeout &* 1000)
        try await initClient.becomeHealthy(request, what: "system start", timeoutSeconds: timeout)
    }
}

extension InitClient {
    /// Asks petrel-init to start or restart daemons, then waits until they say themselves that they serve.
    func becomeHealthy(_ request: InitV1.Request, what: String, timeoutSeconds: UInt32) async throws {
        let deadline = Clock.bootNanos + Int64(timeoutSeconds) * 1_000_000_000
        guard var reply = try ask(request, what: what) else {
            throw Failure(what, "petrel-init has gone", advice: "See \(location.log(of: "init")).")
        }
        while true {
            let all = await DaemonStatus.all(of: location, reply: reply)
            let chosen = request.daemons.isEmpty ? all : all.filter { request.daemons.contains($0.name) }
            guard let sick = chosen.first(where: { $0.health != "healthy" }) else { return }
            guard Clock.bootNanos < deadline else {
                throw Failure(
                    what,
                    "\(sick.name) is \(sick.health)",
                    advice: "See \(location.log(of: sick.name))."
                )
            }
            try await Task.sleep(for: .milliseconds(20))
            if let next = try ask(InitV1.Request(action: .status), what: what) { reply = next }
        }
    }
}
