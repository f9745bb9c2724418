// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services

struct ImagePrune: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        _superCommandName: Petrel.name,
        abstract: "Remove images that nobody needs.",
        discussion: "EXAMPLE:\n  petrel image prune -a --filter until=240h"
    )

    @Flag(name: [.short, .long], help: "All that no container uses, not only those without a tag.") var all =
        false
    @Flag(name: [.short, .long], help: "Do not ask.") var force = false
    @Option(
        name: .long,
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("label=, label!= or until=; may be repeated.", valueName: "key=value")
    ) var filter: [String] = []
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let what =
            all
            ? "all images without at least one container associated to them" : "all dangling images"
        guard force || Confirmation.given("WARNING! This will remove \(what).") else { return }
        let pruned = try await engine.prunedImages(all: all, filters: filter)
        pruned.show()
        Screen.print("Total reclaimed space: \(HumanSize.decimal(pruned.reclaimedBytes))")
    }
}

extension EngineConnection {
    func prunedImages(all: Bool, filters: [String]) async throws(Failure) -> EngineV1.PruneImagesResponse {
        let request = EngineV1.PruneImagesRequest(all: all, filters: filters)
        return try await once("prune images") { () async throws(RPCError) in try await images.prune(request) }
    }
}

extension EngineV1.PruneImagesResponse {
    /// What went, as the Docker command line lists it.
    func show() {
        guard !untagged.isEmpty || !deleted.isEmpty else { return }
        let lines =
            ["Deleted Images:"] + untagged.map { "untagged: " + $0 } + deleted.map { "deleted: " + $0 }
        Screen.print(lines.joined(separator: "\n") + "\n")
    }
}
