// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services

struct Wait: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        _superCommandName: Petrel.name,
        abstract: "Wait until containers stop, and print their exit codes.",
        discussion: "EXAMPLE:\n  petrel wait job"
    )

    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        try await forEach(containers) { name in
            // Endless, rightly: it ends with the container, or by a signal to this program.
            let answer = try await engine.repeating("wait for \(name)") { () async throws(RPCError) in
                try await engine.containers.wait(EngineV1.WaitRequest(container: name))
            }
            if !answer.error.isEmpty { Screen.say("petrel: \(name): \(answer.error)") }
            return String(answer.exitCode)
        }
    }
}
