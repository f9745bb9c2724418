// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Definitions
import Rendering

struct RPCList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        _superCommandName: Petrel.name,
        abstract: "List a server's services, or the methods of one.",
        discussion: """
            EXAMPLE:
              petrel rpc list
              petrel rpc list --daemon image-store petrel.image.v1.Images
            """
    )

    @Argument(help: "A service; its last part is enough where it is clear.") var service: String?
    @OptionGroup var target: RPCTargetOptions

    func run() async throws {
        var catalog = ServiceCatalog(try target.target("rpc list"))
        if let service {
            let definition = try await catalog.service(service)
            for method in definition.methods { Screen.print("\(definition.fullName)/\(method.name)") }
        } else {
            for name in try await catalog.serviceNames() { Screen.print(name) }
        }
    }
}
