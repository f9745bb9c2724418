// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services
import Suite

struct Version: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        _superCommandName: Petrel.name,
        abstract: "Show the release of this program and of the daemons.",
        discussion: "EXAMPLE:\n  petrel version --format json"
    )

    @Option(
        name: [.short, .long],
        parsing: .unconditional,
        help: "'json', or a template such as '{{.Server.Version}}'."
    ) var format: String?
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        var document: JSON.Object = ["Client": ["Version": .string(Release.version), "Os": "linux"]]
        var problem: Failure?
        do {
            let answer = try await engine.repeating("version") { () async throws(RPCError) in
                try await engine.system.version(EngineV1.VersionRequest())
            }
            document["Server"] = server(answer)
        } catch {
            problem = error
            document["Server"] = .null
        }
        if let format {
            try JSON.object(document).show(format: format)
        } else {
            show(document)
        }
        if let problem { throw problem }
    }

    private func server(_ answer: EngineV1.VersionResponse) -> JSON {
        let components = answer.components.sorted { $0.key < $1.key }
        return [
            "Version": .string(answer.version),
            "GitCommit": .string(answer.gitCommit),
            "Os": .string(answer.os),
            "Arch": .string(answer.architecture),
            "KernelVersion": .string(answer.kernel),
            "Components": .array(components.map { ["Name": .string($0.key), "Version": .string($0.value)] }),
        ]
    }

    private func show(_ document: JSON.Object) {
        Screen.print("Client:\n Version:    \(Release.version)")
        guard let server = document["Server"], !server.isNull else { return }
        Screen.print("\nServer:")
        let lines = [
            ("Version", server["Version"]), ("Git commit", server["GitCommit"]), ("OS/Arch", nil),
            ("Kernel", server["KernelVersion"]),
        ]
        for (name, value) in lines {
            let text =
                name == "OS/Arch"
                ? "\(server["Os"]?.string ?? "")/\(server["Arch"]?.string ?? "")" : value?.string ?? ""
            if !text.isEmpty { Screen.print(" " + pad(name + ":", 12) + text) }
        }
        for component in server["Components"]?.array ?? [] {
            Screen.print(
                " " + pad((component["Name"]?.string ?? "") + ":", 12) + (component["Version"]?.string ?? "")
            )
        }
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
