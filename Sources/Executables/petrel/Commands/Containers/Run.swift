// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

struct Run: EngineCommand {
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
    @OptionGroup var options: ContainerOptions
    @Option(parsing: .unconditional, help: DetachKeys.help) var detachKeys = ""
    @Option(parsing: .unconditional, help: "Pass signals on to it: true or false.") var sigProxy = "true"
    @OptionGroup var place: PlaceOptions
    @Argument(help: "The image's name.") var image: String
    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments, instead of the image's.")
    var command: [String] = []

    func run(_ engine: EngineConnection) async throws {
        let streams = try options.streams()
        if detach {
            guard options.attach.isEmpty else {
                throw Failure("run \(image)", "--attach and --detach exclude each other", exitCode: 125)
            }
        } else {
            try Console.check(attachesInput: streams.input, hasTerminal: options.tty)
        }
        let keys = try DetachKeys(detachKeys)
        let proxies = try BooleanFlags.isOn(sigProxy, option: "--sig-proxy")
        let config = try options.config(
            image: image,
            command: command,
            what: "run \(image)",
            detaches: detach
        )
        // One call makes and starts it. A start that fails with --rm is the engine's to clean up after: from here a container
        // may be running, and is never removed because of what went wrong between us.
        let creation = Creation(engine: engine, options: options, config: config, verb: "run")
        let created = try await creation.create(
            launch: Creation.Launch(wantsOutput: !detach && (streams.output || streams.error))
        )
        if detach { return Screen.print(created.id) }
        let attachment = Attachment(
            engine: engine,
            container: created.id,
            name: created.name,
            isRemovedAtEnd: options.remove,
            streams: Attachment.Streams(
                input: streams.input && options.interactive,
                output: streams.output,
                error: streams.error
            ),
            hasTerminal: options.tty,
            keys: keys,
            forwardsSignals: proxies
        )
        throw ExitCode(try await attachment.followFirstRun())
    }
}
