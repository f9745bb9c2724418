// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services
import System

struct SystemStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        _superCommandName: Petrel.name,
        abstract: "Stop Petrel's daemons. Containers go on running.",
        discussion: "EXAMPLE:\n  petrel system stop --containers"
    )

    @Flag(help: "Stop the containers first.") var containers = false
    @Argument(help: "Only these: image-store, supervisor, engine.") var daemons: [String] = []
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard !containers || daemons.isEmpty else {
            throw ValidationError("--containers stops everything; name no daemon with it")
        }
    }

    func run() async throws {
        let initClient = InitClient(location: try place.location())
        guard let before = try initClient.ask(InitV1.Request(action: .status), what: "system stop") else {
            return
        }
        if containers { try await stopContainers() }
        if !daemons.isEmpty {
            _ = try initClient.ask(InitV1.Request(action: .stop, daemons: daemons), what: "system stop")
            return
        }
        // Opened before it is asked, so that the number is still its own.
        let process = try? ProcessHandle.open(before.initPid)
        _ = try initClient.ask(InitV1.Request(action: .shutdown), what: "system stop")
        guard let process else { return }
        var ended = [Poll.Entry(process.raw)]
        try Poll.wait(&ended, deadlineNanos: Clock.bootNanos + 10_000_000_000)
    }

    private func stopContainers() async throws {
        let engine = try EngineConnection(place.location())
        let what = "stop containers"
        let containers = try await engine.listContainers(what, all: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for container in containers {
                group.addTask {
                    _ = try await engine.repeating("stop \(container.name)") { () async throws(RPCError) in
                        do throws(RPCError) {
                            return try await engine.containers.stop(
                                EngineV1.StopRequest(container: container.id)
                            )
                        } catch {
                            // Ended, and was removed, meanwhile.
                            guard error.code == .notFound else { throw error }
                            return EngineV1.StopResponse(id: container.id)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
