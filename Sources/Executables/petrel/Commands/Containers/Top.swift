// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services

struct Top: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        _superCommandName: Petrel.name,
        abstract: "Show the processes of a container.",
        discussion: "EXAMPLE:\n  petrel top web\n  petrel top web -o pid,rss,args"
    )

    @OptionGroup var place: PlaceOptions
    @Argument(help: "Name or id.") var container: String
    @Argument(parsing: .captureForPassthrough, help: "Options of ps: -ef, -e, aux, or -o and a list.")
    var options: [String] = []

    func run(_ engine: EngineConnection) async throws {
        let request = EngineV1.TopRequest(container: container, arguments: options)
        let answer = try await engine.repeating("top \(container)") { () async throws(RPCError) in
            try await engine.containers.top(request)
        }
        var table = Table(answer.titles)
        for row in answer.rows { table.add(row.cells) }
        Screen.print(table)
    }
}
