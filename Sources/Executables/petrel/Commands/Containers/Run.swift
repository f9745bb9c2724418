// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

struct Run: EngineCommand, ProgramTaker {
    static let configuration = CommandConfiguration(
        commandName: "run",
        _superCommandName: Petrel.name,
        abstract: "Create a container from an image and start it.",
        discussion: """
            Ends with the container's exit code; 125 when Petrel failed, 126 when the program cannot be executed, 127 \
            when it was not found.

            With --interactive and --tty, ctrl-p ctrl-q leaves it running; 'petrel attach' comes back to it.

            EXAMPLE:
              petrel run -it --rm busybox
              petrel run --rm -e GREETING=hello busybox sh -c 'echo $GREETING'
              petrel run -d --name web --restart=always --memory 512m busybox httpd -f
            """,
        // -h is the host name, as the Docker command line has it.
        helpNames: .long
    )

    @Flag(name: [.short, .long], help: "Print its id and do not wait for it.") var detach = false
    @OptionGroup var arguments: ContainerArguments
    @OptionGroup var further: FurtherOptions
    @Option(parsing: .unconditional, help: DetachKeys.help) var detachKeys = ""
    @Option(parsing: .unconditional, help: "Pass signals on to it: true or false.") var sigProxy = "true"
    @OptionGroup var place: PlaceOptions
    @Argument(help: "The image's name.") var image: String
    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments, instead of the image's.")
    var command: [String] = []

    func run(_ engine: EngineConnection) async throws {
        let order = RunOrder(
            detaches: detach,
            options: arguments.options,
            further: further,
            keys: try DetachKeys(detachKeys),
            forwardsSignals: try BooleanFlag.isOn(sigProxy, option: "--sig-proxy"),
            image: image,
            command: command
        )
        try await order.carryOut(engine)
    }
}
