// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

struct Exec: EngineCommand, ProgramTaker {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        _superCommandName: Petrel.name,
        abstract: "Run a program in a running container.",
        discussion: """
            Ends with the program's exit code; 126 when it cannot be executed, 127 when it was not found.

            EXAMPLE:
              petrel exec web ps
              petrel exec -it web sh
              echo hello | petrel exec -i web sh -c 'cat > /tmp/greeting'
            """
    )

    @Flag(name: [.short, .long], help: "Do not wait for it, and drop its output.") var detach = false
    @Flag(name: [.short, .long], help: "Pass our standard input on to it.") var interactive = false
    @Flag(name: [.short, .long], help: "Give it a terminal.") var tty = false
    @Option(parsing: .unconditional, help: DetachKeys.help) var detachKeys = ""
    @Option(
        name: [.customShort("e", allowingJoined: true), .customLong("env")],
        parsing: .unconditionalSingleValue,
        help: "Set NAME=value; NAME alone takes its value from here."
    )
    var environment: [String] = []
    @Option(
        name: .customLong("env-file"),
        parsing: .unconditionalSingleValue,
        help: "Read NAME=value lines from a file."
    ) var environmentFiles: [String] = []
    @Option(
        name: [.customShort("u", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "User, as name or number, perhaps with :group."
    ) var user: String?
    @Option(
        name: [.customShort("w", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Working directory in the container."
    ) var workdir: String?
    @Flag(help: "Give it all capabilities.") var privileged = false
    @OptionGroup var place: PlaceOptions
    @Argument(help: "Name or id.") var container: String
    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.") var command: [String] =
        []

    func validate() throws {
        if command.isEmpty { throw ValidationError("the program to run is missing") }
    }

    func run(_ engine: EngineConnection) async throws {
        let order = ExecOrder(
            detaches: detach,
            interactive: interactive,
            tty: tty,
            detachKeys: detachKeys,
            environment: environment,
            environmentFiles: environmentFiles,
            user: user,
            workdir: workdir,
            privileged: privileged,
            container: container,
            command: command
        )
        try await order.carryOut(engine)
    }
}
