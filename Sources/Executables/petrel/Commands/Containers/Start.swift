// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering

struct Start: EngineCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start containers that do not run.",
        discussion: "EXAMPLE:\n  petrel start -a job"
    )

    @Flag(name: [.short, .long], help: "Show its output, and end with its exit code.") var attach = false
    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard !attach || containers.count == 1 else {
            throw ValidationError("only one container can be started with --attach")
        }
    }

    func run(_ engine: EngineConnection) async throws {
        if attach {
            let attachment = Attachment(
                engine: engine,
                container: containers[0],
                name: containers[0],
                isRemovedAtEnd: false
            )
            throw ExitCode(try await attachment.startAndFollow(fromNow: true))
        }
        try await forEach(containers) { name in
            try await engine.start(name, called: name, isNew: false)
            return name
        }
    }
}
