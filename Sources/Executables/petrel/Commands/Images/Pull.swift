// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

struct Pull: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        _superCommandName: Petrel.name,
        abstract: "Fetch an image from a registry.",
        discussion: "EXAMPLE:\n  petrel pull localhost:5000/busybox:latest"
    )

    @Flag(name: [.short, .long], help: "Show no progress.") var quiet = false
    @Option(parsing: .unconditional, help: "The image for this platform, such as linux/arm64.")
    var platform = ""
    @Argument(help: "The image's name.") var image: String
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let finished = try await ImagePull(
            engine: engine,
            reference: image,
            platform: platform,
            isQuiet: quiet
        ).run()
        if !quiet, let finished {
            Screen.print("Digest: \(finished.manifestDigest)")
            let outcome = finished.unchanged ? "Image is up to date for" : "Downloaded newer image for"
            Screen.print("Status: \(outcome) \(finished.references.first ?? image)")
        }
        Screen.print(finished?.fullReference ?? image)
    }
}
