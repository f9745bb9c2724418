// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
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
        let force = force
        try await forAll(containers) { name in
            var isRepeated = false
            let what = "remove \(name)"
            let missing = try await engine.repeating(what) { () async throws(RPCError) -> RPCError? in
                defer { isRepeated = true }
                do throws(RPCError) {
                    let request = EngineV1.RemoveRequest(container: name, force: force)
                    _ = try await engine.containers.remove(request)
                    return nil
                } catch {
                    guard error.code == .notFound, isRepeated || force else { throw error }
                    // The first attempt did it, before its answer was lost; or it was not there, and need not be forced.
                    return isRepeated ? nil : error
                }
            }
            guard let missing else { return name }
            Screen.say(engine.failure(what, missing).lines)
            return nil
        }
    }
}
