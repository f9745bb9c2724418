// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Rename: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        _superCommandName: Petrel.name,
        abstract: "Give a container another name.",
        discussion: "EXAMPLE:\n  petrel rename web old-web"
    )

    @Argument(help: "Its name or id.") var container: String
    @Argument(help: "The new name.") var name: String
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        // By its id, which stays the same should the engine die between the change and its answer.
        let request = EngineV1.InspectRequest(object: container)
        let found = try await engine.repeating("rename \(container)") { () async throws(RPCError) in
            try await engine.containers.inspect(request)
        }
        let id = Inspection.id(found.json) ?? container
        try await engine.changing("rename \(container)", unless: "invalid_field") {
            () async throws(RPCError) in
            try await engine.containers.rename(EngineV1.RenameRequest(container: id, name: name))
        }
    }
}
