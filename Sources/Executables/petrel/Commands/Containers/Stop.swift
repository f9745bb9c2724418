// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Stop: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        _superCommandName: Petrel.name,
        abstract: "Stop running containers: ask first, kill after a time.",
        discussion: "EXAMPLE:\n  petrel stop -t 5 web database"
    )

    @Option(
        name: [.customShort("t", allowingJoined: true), .customLong("timeout"), .customLong("time")],
        parsing: .unconditional,
        help: ArgumentHelp("Seconds to wait before killing it.", valueName: "seconds")
    )
    var time: Int?
    @Option(
        name: [.customShort("s", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Signal to send instead of the container's own."
    )
    var signal: String?
    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        // A negative number waits for ever, as with Docker.
        let seconds = time.map { $0 < 0 ? UInt32.max : UInt32(clamping: $0) }
        let signal = signal ?? ""
        try await forAll(containers) { name in
            let request = EngineV1.StopRequest(container: name, timeoutSeconds: seconds, signal: signal)
            _ = try await engine.repeating("stop \(name)") { () async throws(RPCError) in
                try await engine.containers.stop(request)
            }
            return name
        }
    }
}
