// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services

struct Info: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        _superCommandName: Petrel.name,
        abstract: "Show what the engine knows about itself and this machine.",
        discussion: "EXAMPLE:\n  petrel info --format '{{.ContainersRunning}}'"
    )

    @Option(name: [.short, .long], parsing: .unconditional, help: "'json', or a template.") var format:
        String?
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let answer = try await engine.repeating("info") { () async throws(RPCError) in
            try await engine.system.info(EngineV1.InfoRequest())
        }
        let document: JSON
        do { document = try JSON(parsing: answer.json) } catch {
            throw Failure("info", "the engine's answer cannot be read: \(error)")
        }
        if let format { return try document.show(format: format) }
        for line in Outline.lines(of: document) where !line.hasPrefix("Warnings") { Screen.print(line) }
        for warning in document["Warnings"]?.array ?? [] {
            if let text = warning.string { Screen.say(text.hasPrefix("WARNING") ? text : "WARNING: " + text) }
        }
    }
}
