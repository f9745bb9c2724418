// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Diff: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        _superCommandName: Petrel.name,
        abstract: "Show what a container has changed in its image's files: A added, C changed, D deleted.",
        discussion: "EXAMPLE:\n  petrel diff web"
    )

    @Argument(help: "Name or id.") var container: String
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let request = EngineV1.DiffRequest(container: container)
        let lines = try await engine.repeating("diff \(container)") { () async throws(RPCError) -> [String] in
            let stream = try await engine.containers.diff(request)
            var lines: [String] = []
            while let answer = try await stream.next() {
                for change in answer.changes {
                    let letter =
                        switch change.kind {
                        case .added: "A"
                        case .deleted: "D"
                        default: "C"
                        }
                    lines.append("\(letter) \(change.path)")
                }
            }
            return lines
        }
        if !lines.isEmpty { Screen.write(lines.joined(separator: "\n") + "\n", to: 1) }
    }
}
