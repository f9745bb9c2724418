// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

struct SystemRestart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        _superCommandName: Petrel.name,
        abstract: "Restart Petrel's daemons, and wait until they are healthy. Containers go on running.",
        discussion: "No connection is refused meanwhile.\n\nEXAMPLE:\n  petrel system restart engine"
    )

    @Option(parsing: .unconditional, help: ArgumentHelp("How long to wait.", valueName: "seconds"))
    var timeout: UInt32 = 60
    @Argument(help: "Only these: image-store, supervisor, engine.") var daemons: [String] = []
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let initClient = InitClient(location: try place.location())
        guard try initClient.ask(InitV1.Request(action: .status), what: "system restart") != nil else {
            throw Failure(
                "system restart",
                "the daemons do not run",
                advice: "Start them with 'petrel system start'."
            )
        }
        let request = InitV1.Request(action: .restart, daemons: daemons, timeoutMillis: timeout &* 1000)
        try await initClient.becomeHealthy(request, what: "system restart", timeoutSeconds: timeout)
    }
}
