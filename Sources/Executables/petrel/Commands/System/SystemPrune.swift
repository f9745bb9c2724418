// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services

struct SystemPrune: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        _superCommandName: Petrel.name,
        abstract: "Remove stopped containers and images that nobody needs.",
        discussion: "EXAMPLE:\n  petrel system prune -a --filter until=240h"
    )

    @Flag(name: [.short, .long], help: "All images that no container uses, not only those without a tag.")
    var all = false
    @Flag(name: [.short, .long], help: "Do not ask.") var force = false
    @Flag(name: .long, help: "Does nothing: there are no volumes with names yet.") var volumes = false
    @Option(
        name: .long,
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("label=, label!= or until=; may be repeated.", valueName: "key=value")
    ) var filter: [String] = []
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let images =
            all ? "all images without at least one container associated to them" : "all dangling images"
        let warning = "WARNING! This will remove:\n  - all stopped containers\n  - \(images)\n"
        guard force || Confirmation.given(warning) else { return }
        let filters = try PruneFilters.forEngine(filter)
        let containers = try await engine.once("prune containers") { () async throws(RPCError) in
            try await engine.containers.prune(EngineV1.PruneRequest(filters: filters))
        }
        if !containers.ids.isEmpty {
            Screen.print("Deleted Containers:\n" + containers.ids.joined(separator: "\n") + "\n")
        }
        let pruned = try await engine.prunedImages(all: all, filters: filters)
        pruned.show()
        let bytes = containers.reclaimedBytes + pruned.reclaimedBytes
        Screen.print("Total reclaimed space: \(HumanSize.decimal(bytes))")
    }
}
