// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Definitions
import DynamicMessages
import Rendering

struct RPCDescribe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        _superCommandName: Petrel.name,
        abstract: "Show a service, method, message or enum as its definition has it.",
        discussion: """
            A method is shown with its messages.

            EXAMPLE:
              petrel rpc describe petrel.engine.v1.System
              petrel rpc describe System/Version
            """
    )

    @Argument(help: "A full name, or its last parts where they are clear.") var symbol: String
    @OptionGroup var target: RPCTargetOptions

    func run() async throws {
        var catalog = ServiceCatalog(try target.target("rpc describe"))
        let found = try await catalog.symbol(symbol)
        var symbols = [found]
        if case .method(let method, _) = found {
            let types = method.input == method.output ? [method.input] : [method.input, method.output]
            symbols += types.compactMap { catalog.pool.symbol($0) }
        }
        Screen.print(symbols.map { catalog.pool.text(of: $0) }.joined(separator: "\n\n"))
    }
}
