// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

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
        var order = PsOrder()
        order.all = all
        order.quiet = quiet
        order.noTrunc = noTrunc
        order.size = size
        order.filters = filter
        order.last = last
        order.latest = latest
        order.format = format
        try await order.carryOut(engine)
    }
}
