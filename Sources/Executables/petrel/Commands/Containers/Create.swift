// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

struct Create: EngineCommand, ProgramTaker {
    static let configuration = CommandConfiguration(
        commandName: "create",
        _superCommandName: Petrel.name,
        abstract: "Create a container from an image, without starting it.",
        discussion: "EXAMPLE:\n  petrel create --name job busybox sleep 10\n  petrel start -a job",
        // -h is the host name, as the Docker command line has it.
        helpNames: .long
    )

    @OptionGroup var arguments: ContainerArguments
    @OptionGroup var further: FurtherOptions
    @OptionGroup var place: PlaceOptions
    @Argument(help: "The image's name.") var image: String
    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments, instead of the image's.")
    var command: [String] = []

    func run(_ engine: EngineConnection) async throws {
        let options = arguments.options
        let config = try options.config(
            image: image,
            command: command,
            what: "create \(image)",
            further: further
        )
        Screen.print(
            try await Creation(engine: engine, options: options, config: config, verb: "create").create().id
        )
    }
}
