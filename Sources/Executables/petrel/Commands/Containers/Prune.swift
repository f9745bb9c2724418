// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services
import System

struct ContainerPrune: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        _superCommandName: Petrel.name,
        abstract: "Remove all containers that do not run.",
        discussion: "EXAMPLE:\n  petrel container prune -f --filter until=24h"
    )

    @Flag(name: [.short, .long], help: "Do not ask.") var force = false
    @Option(
        name: .long,
        parsing: .unconditionalSingleValue,
        help: "until=, label= or label!=; several are possible."
    )
    var filter: [String] = []
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let filters = try PruneFilters.forEngine(filter)
        if !force, !Confirmation.given("WARNING! This will remove all stopped containers.") { return }
        let pruned = try await engine.repeating("prune containers") { () async throws(RPCError) in
            try await engine.containers.prune(EngineV1.PruneRequest(filters: filters))
        }
        if !pruned.ids.isEmpty {
            Screen.print("Deleted Containers:")
            for id in pruned.ids { Screen.print(id) }
            Screen.print("")
        }
        Screen.print("Total reclaimed space: \(HumanSize.decimal(pruned.reclaimedBytes, digits: 4))")
    }
}

/// `--filter` of the commands called `prune`.
enum PruneFilters {
    /// With each moment (`until=24h`) as a Unix time, which is the engine's only kind.
    static func forEngine(_ texts: [String]) throws(Failure) -> [String] {
        try texts.map { text throws(Failure) in
            guard text.hasPrefix("until=") else { return text }
            let moment = try Moments.option("until", String(text.dropFirst(6)), now: Clock.wallNanos)
            let (seconds, nanos) = moment.quotientAndRemainder(dividingBy: 1_000_000_000)
            let digits = String(nanos)
            return "until=\(seconds).\(String(repeating: "0", count: 9 - digits.count))\(digits)"
        }
    }
}

/// A question on the terminal.
enum Confirmation {
    /// Whether the answer begins with a y.
    static func given(_ warning: String) -> Bool {
        Screen.write("\(warning)\nAre you sure you want to continue? [y/N] ", to: 1)
        guard let line = readLine(strippingNewline: true) else {
            Screen.print("")
            return false
        }
        return line.lowercased().hasPrefix("y")
    }
}
