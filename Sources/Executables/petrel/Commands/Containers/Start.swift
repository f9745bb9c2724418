// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering

struct Start: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        _superCommandName: Petrel.name,
        abstract: "Start containers that do not run.",
        discussion: "EXAMPLE:\n  petrel start -ai job"
    )

    @Flag(name: [.short, .long], help: "Show its output, and end with its exit code.") var attach = false
    @Flag(name: [.short, .long], help: "Pass our standard input on to it; attaches, too.") var interactive =
        false
    @Option(parsing: .unconditional, help: DetachKeys.help) var detachKeys = ""
    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard !(attach || interactive) || containers.count == 1 else {
            throw ValidationError("only one container can be started with --attach or --interactive")
        }
    }

    func run(_ engine: EngineConnection) async throws {
        if attach || interactive {
            let found = try await AttachedContainer(containers[0], engine)
            let attachment = Attachment(
                engine: engine,
                container: found.id,
                name: containers[0],
                isRemovedAtEnd: found.isRemovedAtEnd,
                streams: Attachment.Streams(input: interactive && found.opensStdin),
                hasTerminal: found.hasTerminal,
                keys: try DetachKeys(detachKeys),
                forwardsSignals: !found.hasTerminal
            )
            throw ExitCode(try await attachment.startAndFollow())
        }
        try await forEach(containers) { name in
            try await engine.start(name, called: name)
            return name
        }
    }
}
