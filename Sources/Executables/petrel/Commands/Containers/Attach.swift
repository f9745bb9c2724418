// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

struct Attach: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        _superCommandName: Petrel.name,
        abstract: "Attach to a container that runs.",
        discussion: """
            Shows what it writes from now on, and ends with its exit code. ctrl-p ctrl-q leaves one with a terminal again.

            EXAMPLE:
              petrel attach web
            """
    )

    @Flag(help: "Do not pass our standard input on to it.") var noStdin = false
    @Option(parsing: .unconditional, help: "Pass signals on to it (without a terminal): true or false.")
    var sigProxy = "true"
    @Option(parsing: .unconditional, help: DetachKeys.help) var detachKeys = ""
    @OptionGroup var place: PlaceOptions
    @Argument(help: "Name or id.") var container: String

    func run(_ engine: EngineConnection) async throws {
        let keys = try DetachKeys(detachKeys)
        let proxies = try BooleanFlag.isOn(sigProxy, option: "--sig-proxy")
        let found = try await AttachedContainer(container, engine)
        guard found.isRunning else {
            throw Failure(
                "attach to \(container)",
                "cannot attach to a stopped container",
                advice: "Start it first: petrel start -ai \(container)"
            )
        }
        try Console.check(attachesInput: !noStdin, hasTerminal: found.hasTerminal)
        let attachment = Attachment(
            engine: engine,
            container: found.id,
            name: container,
            isRemovedAtEnd: found.isRemovedAtEnd,
            streams: Attachment.Streams(input: !noStdin && found.opensStdin),
            hasTerminal: found.hasTerminal,
            keys: keys,
            forwardsSignals: proxies && !found.hasTerminal
        )
        throw ExitCode(try await attachment.follow())
    }
}
