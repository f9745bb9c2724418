// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileTrees
import Rendering
import System

struct Cp: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp",
        _superCommandName: Petrel.name,
        abstract: "Copy files out of a container (running or not), or into it; - is a tar stream.",
        discussion: """
            EXAMPLE:
              petrel cp web:/etc/nginx ./nginx
              petrel cp site/. web:/srv/www
              petrel cp web:/var/log - | tar t
            """
    )

    @Flag(
        name: [.customShort("a"), .long],
        help:
            "Archive mode: keep users and groups; else what is copied belongs to whoever copies, in a container to root."
    )
    var archive = false
    @Flag(name: [.customShort("L"), .long], help: "Copy what a link at the end of the source leads to.")
    var followLink = false
    @Flag(name: [.short, .long], help: "Say nothing of a success.") var quiet = false
    @Argument(help: "CONTAINER:PATH, a path of this machine, or - for a tar archive on standard input.")
    var source: String
    @Argument(help: "CONTAINER:PATH, a path of this machine, or - for a tar archive on standard output.")
    var destination: String
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let what = "cp \(source) \(destination)"
        if source.isEmpty { throw Failure(what, "source can not be empty") }
        if destination.isEmpty { throw Failure(what, "destination can not be empty") }
        let isShown = !quiet && destination != "-" && CurrentProcess.isTerminal(1)
        let isOut = if case .container = CopyArgument(source) { true } else { false }
        let progress = CopyProgress(isOut ? "Copying from container" : "Copying to container")
        defer { progress.end() }
        let side = CopySide(
            engine: engine,
            what: what,
            keepsOwners: archive,
            followsLink: followLink,
            directory: try SystemEnvironment.workingDirectory(),
            progress: isShown && CurrentProcess.isTerminal(2) ? progress : nil
        )
        // A side that stops early shows as an error of the pipe to it.
        Signal.pipe.ignore()
        // Files get the modes that they had.
        Threads.setFileCreationMask(0)
        let copied: Copied
        switch (CopyArgument(source), CopyArgument(destination)) {
        case (.container(let name, let path), .local(let local)):
            copied = try await CopyOut(side: side, container: name, path: CopyPath(path)).run(to: local)
        case (.local(let local), .container(let name, let path)):
            copied = try await CopyIn(side: side, container: name, path: CopyPath(path)).run(from: local)
        case (.container, .container): throw Failure(what, "copying between containers is not supported")
        case (.local, .local):
            throw Failure(
                what,
                "must specify at least one container source",
                advice: "Write a container's file as CONTAINER:PATH."
            )
        }
        progress.end()
        if copied.skipped > 0 {
            guard !copied.isNothing else {
                throw Failure(what, "it is a device node", advice: "--archive makes it")
            }
            let nodes = copied.skipped == 1 ? "1 device node" : "\(copied.skipped) device nodes"
            Screen.say("petrel: \(what): \(nodes) left out (--archive makes them)")
        }
        guard isShown else { return }
        let size = HumanSize.decimal(UInt64(max(0, copied.bytes)))
        Screen.say("Successfully copied \(size) to \(copied.place)")
    }
}
