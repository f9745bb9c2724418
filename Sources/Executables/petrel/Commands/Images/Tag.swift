// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Services

struct Tag: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        _superCommandName: Petrel.name,
        abstract: "Give an image another name.",
        discussion: """
            An image that had the new name before loses it.

            EXAMPLE:
              petrel tag busybox localhost:5000/team/busybox:1.0
            """
    )

    @Argument(help: ArgumentHelp("Name or id of the image.", valueName: "source-image")) var source: String
    @Argument(help: ArgumentHelp("The name that it gets.", valueName: "target-image")) var target: String
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let request = EngineV1.TagImageRequest(source: source, target: target)
        _ = try await engine.repeating("tag \(source)") { () async throws(RPCError) in
            try await engine.images.tag(request)
        }
    }
}
