// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Suite

/// The root of all commands.
struct Petrel: ParsableCommand {
    /// What every command says that it is part of. In one that does not, the parser looks for an option of its own (for
    /// completion, which `petrel completion` prints), by parsing two more commands.
    static let name = "petrel"

    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Containers that outlive every daemon.",
        discussion: """
            EXAMPLE:
              petrel system start
              petrel run --rm busybox echo hello
            """,
        version: "petrel \(Release.version)",
        subcommands: containerCommands + imageCommands + [
            Inspect.self, Events.self, Version.self, Info.self, ContainerGroup.self, ImageGroup.self,
            SystemGroup.self, RPCGroup.self, CompletionCommand.self, Man.self, Complete.self,
        ]
    )

    static let containerCommands: [any ParsableCommand.Type] = [
        Run.self, Create.self, Start.self, Stop.self, Restart.self, Kill.self, Wait.self, Exec.self,
        Attach.self, Logs.self, Ps.self, Rm.self, Pause.self, Unpause.self, Rename.self, Update.self,
        Top.self, Stats.self,
        Diff.self, Cp.self,
    ]
    static let imageCommands: [any ParsableCommand.Type] = [
        Load.self, Pull.self, Images.self, Rmi.self, Tag.self, History.self,
    ]

    @OptionGroup var place: PlaceOptions
}

struct ContainerGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container",
        abstract: "All commands for containers.",
        discussion: "EXAMPLE:\n  petrel container ls -a",
        subcommands: Petrel.containerCommands + [ContainerInspect.self, ContainerPrune.self]
    )
}

struct ImageGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "All commands for images.",
        discussion: "EXAMPLE:\n  petrel image ls",
        subcommands: Petrel.imageCommands + [ImageInspect.self, ImagePrune.self]
    )
}

struct SystemGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system",
        abstract: "Petrel's daemons, this machine and its disk.",
        discussion: "EXAMPLE:\n  petrel system status",
        subcommands: [
            SystemStart.self, SystemStop.self, SystemRestart.self, SystemStatus.self, SystemCheck.self,
            SystemDf.self, SystemPrune.self, Info.self, Events.self,
        ]
    )
}

struct RPCGroup: ParsableCommand {
    static let name = "rpc"
    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Call the daemons' gRPC methods by hand, for debugging.",
        discussion: "EXAMPLE:\n  petrel rpc list",
        subcommands: [RPCList.self, RPCDescribe.self, RPCCall.self]
    )
}

/// Where the suite is that a command talks to.
struct PlaceOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "State that outlives a reboot. (PETREL_ROOT; default: /var/lib/petrel)",
            valueName: "dir"
        )
    )
    var root: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sockets and state of this boot. (PETREL_RUN; default: /run/petrel)",
            valueName: "dir"
        )
    )
    var run: String?

    func location() throws -> SuiteLocation { try SuiteLocation(root: root, run: run) }
}
