// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import Rendering

struct SystemStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        _superCommandName: Petrel.name,
        abstract: "Show the daemons: whether they run and are healthy, since when, and with how much memory.",
        discussion: "EXAMPLE:\n  petrel system status --format json"
    )

    @Option(parsing: .unconditional, help: "'table' or 'json' (an array of objects).") var format = "table"
    @Argument(help: "Only these: image-store, supervisor, engine.") var daemons: [String] = []
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard format == "table" || format == "json" else {
            throw ValidationError("--format is 'table' or 'json'")
        }
        for name in daemons where !InitClient.daemons.contains(name) {
            throw ValidationError(
                "no daemon is called \(name); there are: \(InitClient.daemons.joined(separator: ", "))"
            )
        }
    }

    func run() async throws {
        let location = try place.location()
        let reply = try InitClient(location: location).ask(
            InitV1.Request(action: .status),
            what: "system status"
        )
        let all = await DaemonStatus.all(of: location, reply: reply)
        let chosen = daemons.isEmpty ? all : all.filter { daemons.contains($0.name) }
        if format == "json" { return Screen.print(.array(chosen.map(\.json))) }
        var table = Table(["NAME", "PID", "VERSION", "UPTIME", "MEMORY", "HEALTH", "SOCKET"])
        for daemon in chosen { table.add(daemon.row) }
        Screen.print(table)
        if reply == nil { Screen.say("The daemons do not run. Start them with 'petrel system start'.") }
    }
}
