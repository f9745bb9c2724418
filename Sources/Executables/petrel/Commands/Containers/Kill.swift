// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Kill: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        _superCommandName: Petrel.name,
        abstract: "Send a signal to running containers.",
        discussion: "EXAMPLE:\n  petrel kill -s HUP web"
    )

    @Option(
        name: [.customShort("s", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "The signal's name or number."
    ) var signal = "KILL"
    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let signal = signal
        try await forAll(containers) { name in
            let request = EngineV1.KillRequest(container: name, signal: signal)
            _ = try await engine.once("kill \(name)") { () async throws(RPCError) in
                try await engine.containers.kill(request)
            }
            return name
        }
    }
}
