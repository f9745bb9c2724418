// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering
import System

/// The options that `run` and `create` share: what the container shall be.
struct ContainerOptions: ParsableArguments {
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
    var restart = "no"
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
    ) var network = "none"
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
    @Option(parsing: .unconditional, help: "Seconds between that signal and KILL.") var stopTimeout: Int?
    @Option(parsing: .unconditional, help: "Pull the image first: missing, always or never.") var pull =
        "missing"
    @Option(name: .customLong("cidfile"), parsing: .unconditional, help: "Write its id to a new file.")
    var idFile: String?
    @Flag(name: [.short, .long], help: "Show no progress while pulling.") var quiet = false

    @OptionGroup var storage: StorageOptions
    @OptionGroup var resources: ResourceOptions
    @OptionGroup var isolation: IsolationOptions
    @OptionGroup var names: NameOptions
    @OptionGroup var health: HealthOptions

    /// The request's part.
    /// - Throws: `Failure` with exit code 125.
    func config(
        image: String,
        command: [String],
        what: String,
        detaches: Bool = false
    ) throws(Failure) -> EngineV1.ContainerConfig {
        let restartPolicy = try restartPolicy(what)
        _ = try streams()
        var config = EngineV1.ContainerConfig(
            image: image,
            entrypoint: entrypoint.map { $0.isEmpty ? [] : [$0] } ?? [],
            entrypointSet: entrypoint != nil,
            command: command,
            environment: try TextFiles.environment(files: environmentFiles, options: environment),
            workingDirectory: workdir ?? "",
            user: user ?? "",
            hostname: hostname ?? "",
            labels: try TextFiles.labels(files: names.labelFile, options: label),
            volumes: try volumes(),
            restartPolicy: EngineV1.RestartPolicy(
                name: restartPolicy.name,
                maximumRetries: restartPolicy.maximumRetries
            ),
            limits: try limits(),
            capabilitiesAdded: capAdd,
            capabilitiesDropped: capDrop,
            privileged: privileged,
            network: network,
            autoRemove: remove,
            terminal: tty,
            openStdin: interactive,
            // Whoever was attached to it has said everything.
            stdinOnce: interactive && !detaches,
            stopSignal: stopSignal ?? "",
            stopTimeoutSeconds: stopTimeout.map { $0 < 0 ? .max : UInt32(clamping: $0) },
            readOnlyRoot: readOnly,
            consoleSize: tty ? Console.size : nil
        )
        try storage.add(to: &config)
        try resources.add(to: &config)
        try isolation.add(to: &config)
        try names.add(to: &config)
        try health.add(to: &config)
        return config
    }

    /// What `run` attaches to, as the Docker command line has it.
    /// - Throws: `Failure` with exit code 125 for what is no stream.
    func streams() throws(Failure) -> Attachment.Streams {
        let names = attach.map { $0.lowercased() }
        for name in names where !["stdin", "stdout", "stderr"].contains(name) {
            throw Failure(
                "--attach '\(name)'",
                "is no stream",
                advice: "use stdin, stdout or stderr",
                exitCode: 125
            )
        }
        return Attachment.Streams(
            input: interactive || names.contains("stdin"),
            output: names.isEmpty || names.contains("stdout"),
            error: names.isEmpty || names.contains("stderr")
        )
    }

    private func volumes() throws(Failure) -> [EngineV1.Volume] {
        let directory = (try? SystemEnvironment.workingDirectory()) ?? "/"
        return try volume.map { (text) throws(Failure) in
            let option = try VolumeOption(text, workingDirectory: directory)
            return EngineV1.Volume(
                source: option.source,
                target: option.target,
                readOnly: option.isReadOnly,
                propagation: option.propagation,
                createSource: true
            )
        }
    }

    /// Of options that exclude each other, too.
    private func restartPolicy(_ what: String) throws(Failure) -> RestartOption {
        let restartPolicy = try RestartOption(restart)
        guard !remove || restartPolicy.name == "no" else {
            throw Failure(what, "--rm and --restart exclude each other", exitCode: 125)
        }
        guard ["missing", "always", "never"].contains(pull) else {
            throw Failure(
                "--pull '\(pull)'",
                "is not known",
                advice: "use missing, always or never",
                exitCode: 125
            )
        }
        return restartPolicy
    }

    private func limits() throws(Failure) -> EngineV1.Limits {
        var limits = EngineV1.Limits(pids: pidsLimit ?? 0)
        if let memory {
            guard let bytes = HumanSize.bytes(memory) else {
                throw Failure("--memory '\(memory)'", "is no size", advice: "write 512m or 2g", exitCode: 125)
            }
            limits.memoryBytes = bytes
        }
        if let cpus {
            guard let nano = Processors.nano(cpus) else {
                throw Failure(
                    "--cpus '\(cpus)'",
                    "is no number of processors",
                    advice: "write 0.5 or 2",
                    exitCode: 125
                )
            }
            limits.nanoCpus = nano
        }
        return limits
    }
}
