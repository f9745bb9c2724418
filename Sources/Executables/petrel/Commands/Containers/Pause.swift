// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Pause: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        _superCommandName: Petrel.name,
        abstract: "Let every process of containers stand still.",
        discussion: "EXAMPLE:\n  petrel pause web"
    )

    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        try await forAll(containers) { name in
            try await engine.changing("pause \(name)", unless: "already_paused") {
                () async throws(RPCError) in
                try await engine.containers.pause(EngineV1.PauseRequest(container: name))
            }
            return name
        }
    }
}

struct Unpause: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpause",
        _superCommandName: Petrel.name,
        abstract: "Let the processes of paused containers go on.",
        discussion: "EXAMPLE:\n  petrel unpause web"
    )

    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        try await forAll(containers) { name in
            try await engine.changing("unpause \(name)", unless: "not_paused") { () async throws(RPCError) in
                try await engine.containers.unpause(EngineV1.PauseRequest(container: name))
            }
            return name
        }
    }
}
