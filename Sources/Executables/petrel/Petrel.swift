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

    static let containerCommands: [any ParsableCommand.Type] = ContainerCommand.allCases.map(\.type)
    static let imageCommands: [any ParsableCommand.Type] = [
        Load.self, Pull.self, Images.self, Rmi.self, Tag.self, History.self,
    ]

    @OptionGroup var place: PlaceOptions
}

/// The commands for containers, by their names: so the one that is asked for is found without making all the others known
/// to Swift's runtime.
enum ContainerCommand: String, CaseIterable {
    case run, create, start, stop, restart, kill, wait, exec, attach, logs
    case ps, rm, pause, unpause, rename, update, top, stats, diff, cp

    /// Not `init(rawValue:)`, which makes a table of all of them first.
    static func named(_ word: String) -> ContainerCommand? { allCases.first { $0.rawValue == word } }

    var type: any AsyncParsableCommand.Type {
        switch self {
        case .run: Run.self
        case .create: Create.self
        case .start: Start.self
        case .stop: Stop.self
        case .restart: Restart.self
        case .kill: Kill.self
        case .wait: Wait.self
        case .exec: Exec.self
        case .attach: Attach.self
        case .logs: Logs.self
        case .ps: Ps.self
        case .rm: Rm.self
        case .pause: Pause.self
        case .unpause: Unpause.self
        case .rename: Rename.self
        case .update: Update.self
        case .top: Top.self
        case .stats: Stats.self
        case .diff: Diff.self
        case .cp: Cp.self
        }
    }
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
