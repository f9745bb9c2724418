// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services
import System

struct Ps: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        _superCommandName: Petrel.name,
        abstract: "List containers.",
        discussion: """
            EXAMPLE:
              petrel ps -a --filter status=exited
              petrel ps --format 'table {{.Names}}\\t{{.Status}}'
            """
    )

    @Flag(name: [.short, .long], help: "Also those that do not run.") var all = false
    @Flag(name: [.short, .long], help: "Only ids.") var quiet = false
    @Flag(name: .long, help: "Whole ids and commands.") var noTrunc = false
    @Flag(name: [.short, .long], help: "Also how much each has written, and that with its image.") var size =
        false
    @Option(
        name: [.customShort("f", allowingJoined: true), .long],
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            """
            ancestor=, before=, exited=, health=, id=, label=, name=, network=, since=, status= or volume=; may be repeated.
            """,
            valueName: "key=value"
        )
    )
    var filter: [String] = []
    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Only the so many newest, running or not."
    ) var last: Int?
    @Flag(name: [.short, .long], help: "Only the newest, running or not.") var latest = false
    @Option(
        name: .long,
        parsing: .unconditional,
        help: "'table', 'json', 'table TEMPLATE', or a template such as '{{.ID}} {{.Names}}'."
    )
    var format = "table"
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        // A number below 1 means all of them, as with Docker.
        let newest = latest ? 1 : last.flatMap { $0 > 0 ? $0 : nil }
        // Only what is shown is measured: that takes a walk through the files.
        let measures = size || format.contains(".Size")
        let containers = try await engine.listContainers(
            "list containers",
            all: all || newest != nil,
            filters: filter,
            sizes: measures
        )
        let sorted = containers.sorted { $0.createdAtUnixNanos > $1.createdAtUnixNanos }
        let shown = sorted.prefix(newest ?? sorted.count)
        var columns: [Listing.Column] = [
            .init("ID", "CONTAINER ID"), .init("Image", "IMAGE"), .init("Command", "COMMAND"),
            .init("RunningFor", "CREATED"), .init("Status", "STATUS"), .init("Ports", "PORTS"),
            .init("Names", "NAMES"),
        ]
        if size { columns.append(.init("Size", "SIZE")) }
        try Listing(columns: columns, rows: shown.map { row($0) }, labels: shown.map(\.labels))
            .show(format: quiet ? "{{.ID}}" : format, isWhole: noTrunc)
    }

    private func row(_ container: EngineV1.ContainerSummary) -> JSON.Object {
        let now = Clock.wallNanos
        let status = HumanDuration.status(
            state: container.state,
            exitCode: container.exitCode,
            startedAt: container.startedAtUnixNanos,
            finishedAt: container.finishedAtUnixNanos,
            health: container.health,
            now: now
        )
        let labels = container.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [
            "ID": .string(noTrunc ? container.id : Shortened.id(container.id)),
            "Image": .string(noTrunc ? container.image : Shortened.image(container.image)),
            "Command": .string(Quoted.text(Shortened.text(container.command, limit: noTrunc ? .max : 20))),
            "RunningFor": .string(HumanDuration.ago(container.createdAtUnixNanos, now: now)),
            "Status": .string(status),
            "Ports": "",
            "Names": .string(container.name),
            "CreatedAt": .string(Timestamp(unixNanos: container.createdAtUnixNanos).spelledOut),
            "State": .string(container.state),
            "Labels": .string(labels.joined(separator: ",")),
            "LocalVolumes": "0",
            "Mounts": .string(container.mounts.joined(separator: ",")),
            "Networks": .string(container.network),
            "Size": .string(
                HumanSize.decimal(container.writtenBytes)
                    + (container.rootBytes > 0 ? " (virtual \(HumanSize.decimal(container.rootBytes)))" : "")
            ),
        ]
    }
}
