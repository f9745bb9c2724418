// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

struct RPCCall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        _superCommandName: Petrel.name,
        abstract: "Call a method with JSON, and print its answers as JSON.",
        discussion: """
            The definitions come from the server itself. Where a method takes a stream, several JSON values are several \
            messages, sent as they are read. Ends with 1 when the call fails, and with 2 when it is not made.

            EXAMPLE:
              petrel rpc call petrel.engine.v1.System/Version
              petrel rpc call Containers/List '{"all": true}'
              echo '{"container": "web"}' | petrel rpc call Containers/Inspect -
            """
    )

    @Flag(name: [.short, .long], help: "Show headers and trailers on standard error.") var verbose = false
    @Flag(name: .long, help: "Show fields too that have their default values.") var emitDefaults = false
    @Argument(
        help: ArgumentHelp(
            "SERVICE/METHOD; the service's last part is enough where it is clear.",
            valueName: "method"
        )
    )
    var method: String
    @Argument(help: "One JSON value, or several for a stream; '-': from standard input.") var json: String?
    @OptionGroup var target: RPCTargetOptions

    func run() async throws {
        let target = try target.target("rpc call \(method)")
        var catalog = ServiceCatalog(target)
        let (service, method) = try await catalog.method(method)
        var call = DynamicCall(
            target: target,
            service: service,
            method: method,
            catalog: catalog,
            isVerbose: verbose,
            emitsDefaults: emitDefaults
        )
        try await call.run(json)
    }
}
