// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Restart: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        _superCommandName: Petrel.name,
        abstract: "Stop containers and start them again.",
        discussion: "EXAMPLE:\n  petrel restart web"
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
        let seconds = time.map { $0 < 0 ? UInt32.max : UInt32(clamping: $0) }
        try await forEach(containers) { name in
            let request = EngineV1.StopRequest(container: name, timeoutSeconds: seconds, signal: signal ?? "")
            _ = try await engine.repeating("restart \(name)") { () async throws(RPCError) in
                try await engine.containers.stop(request)
            }
            try await engine.start(name, called: name, isRestart: true)
            return name
        }
    }
}
