// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The options that `run` and `create` share, as the argument parser reads them: what the container shall be, as most people
/// say it. What only few say is in `FurtherOptions`.
///
/// Two structures, though the options are of several topics: each group makes the parser ask the runtime for five
/// conformances more, which are tenths of a millisecond each.
struct ContainerArguments: ParsableArguments {
    @Option(parsing: .unconditional, help: "A name for it (default: a generated one).") var name: String?
    @Flag(name: .customLong("rm"), help: "Remove it when it has ended.") var remove = false
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
        name: [.customShort("v", allowingJoined: true), .long],
        parsing: .unconditionalSingleValue,
        help: "Bind-mount: /here:/there[:ro]."
    ) var volume: [String] = []
    @Option(
        name: [.customShort("w", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Working directory in the container."
    ) var workdir: String?
    @Option(
        name: [.customShort("u", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "User, as name or number, perhaps with :group."
    ) var user: String?
    @Option(parsing: .unconditional, help: "Program instead of the image's entrypoint.") var entrypoint:
        String?
    @Option(
        name: [.customShort("h"), .customLong("hostname")],
        parsing: .unconditional,
        help: "Its host name (default: its short id)."
    )
    var hostname: String?
    @Option(parsing: .unconditional, help: "no, always, unless-stopped, on-failure or on-failure:N.")
    var restart = ContainerOptions.standard.restart
    @Option(
        name: [.customShort("m", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Most memory, such as 512m."
    ) var memory: String?
    @Option(parsing: .unconditional, help: "Most processor time, such as 1.5.") var cpus: String?
    @Option(parsing: .unconditional, help: "Most processes and threads; -1: no limit.") var pidsLimit: Int64?
    @Option(parsing: .unconditionalSingleValue, help: "Add a capability, such as NET_ADMIN, or ALL.")
    var capAdd: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Take a capability away, or ALL.") var capDrop:
        [String] = []
    @Flag(help: "Give it all capabilities and devices.") var privileged = false
    @Option(
        name: [.customLong("network"), .customLong("net")],
        parsing: .unconditional,
        help: "host, none, or container:NAME."
    ) var network = ContainerOptions.standard.network
    @Option(
        name: [.customShort("l", allowingJoined: true), .long],
        parsing: .unconditionalSingleValue,
        help: "Set a label: name=value."
    ) var label: [String] = []
    @Flag(help: "Make its root file system read-only.") var readOnly = false
    @Flag(name: [.short, .long], help: "Keep its standard input open, and pass ours on to it.")
    var interactive = false
    @Flag(name: [.short, .long], help: "Give it a terminal.") var tty = false
    @Option(
        name: [.customShort("a", allowingJoined: true), .long],
        parsing: .unconditionalSingleValue,
        help: "Attach only to stdin, stdout or stderr."
    ) var attach: [String] = []
    @Option(parsing: .unconditional, help: "Signal that stops it (default: the image's, else TERM).")
    var stopSignal: String?
    @Option(parsing: .unconditional, help: "Seconds between that signal and KILL.") var stopTimeout: Int64?
    @Option(parsing: .unconditional, help: "Pull the image first: missing, always or never.") var pull =
        ContainerOptions.standard.pull
    @Option(name: .customLong("cidfile"), parsing: .unconditional, help: "Write its id to a new file.")
    var idFile: String?
    @Flag(name: [.short, .long], help: "Show no progress while pulling.") var quiet = false

    var options: ContainerOptions {
        ContainerOptions(
            name: name,
            remove: remove,
            environment: environment,
            environmentFiles: environmentFiles,
            volume: volume,
            workdir: workdir,
            user: user,
            entrypoint: entrypoint,
            hostname: hostname,
            restart: restart,
            memory: memory,
            cpus: cpus,
            pidsLimit: pidsLimit,
            capAdd: capAdd,
            capDrop: capDrop,
            privileged: privileged,
            network: network,
            label: label,
            readOnly: readOnly,
            interactive: interactive,
            tty: tty,
            attach: attach,
            stopSignal: stopSignal,
            stopTimeout: stopTimeout,
            pull: pull,
            idFile: idFile,
            quiet: quiet
        )
    }
}
