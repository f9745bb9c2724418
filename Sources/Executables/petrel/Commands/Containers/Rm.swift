// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Rm: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        _superCommandName: Petrel.name,
        abstract: "Remove containers.",
        discussion: "EXAMPLE:\n  petrel rm -f web"
    )

    @Flag(name: [.short, .long], help: "Kill it first if it runs.") var force = false
    @Flag(name: [.short, .long], help: .hidden) var volumes = false
    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        try await forEach(containers) { name in
            var isRepeated = false
            _ = try await engine.repeating("remove \(name)") { () async throws(RPCError) in
                defer { isRepeated = true }
                do throws(RPCError) {
                    return try await engine.containers.remove(
                        EngineV1.RemoveRequest(container: name, force: force)
                    )
                } catch {
                    // The first attempt did it, before its answer was lost; and what is not there need not be forced.
                    guard error.code == .notFound, isRepeated || force else { throw error }
                    return EngineV1.RemoveResponse(id: "")
                }
            }
            return name
        }
    }
}
