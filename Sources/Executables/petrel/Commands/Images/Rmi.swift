// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services

struct Rmi: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "rmi",
        _superCommandName: Petrel.name,
        abstract: "Remove images.",
        discussion: "EXAMPLE:\n  petrel rmi busybox:latest"
    )

    @Flag(name: [.short, .long], help: "Also when it has several names or a stopped container uses it.")
    var force = false
    @Flag(name: .long, help: "Does nothing: there are no untagged parents to keep.") var noPrune = false
    @Option(name: .long, parsing: .unconditional, help: "Only if they are for this, such as linux/amd64.")
    var platform = ""
    @Argument(help: "Names or ids.") var images: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        var code: Int32 = 0
        for name in images {
            do {
                let request = EngineV1.RemoveImageRequest(reference: name, force: force, platform: platform)
                let what = "remove image \(name)"
                var missing: RPCError?
                let removed = try await engine.once(what) { () async throws(RPCError) in
                    do throws(RPCError) { return try await engine.images.remove(request) } catch {
                        // What is not there need not be forced.
                        guard force, error.code == .notFound else { throw error }
                        missing = error
                        return EngineV1.RemoveImageResponse()
                    }
                }
                if let missing { Screen.say(engine.failure(what, missing).lines) }
                for reference in removed.untagged { Screen.print("Untagged: \(reference)") }
                for digest in removed.deleted { Screen.print("Deleted: \(digest)") }
            } catch let failure {
                Screen.say(failure.lines)
                code = failure.exitCode
            }
        }
        if code != 0 { throw ExitCode(code) }
    }
}
