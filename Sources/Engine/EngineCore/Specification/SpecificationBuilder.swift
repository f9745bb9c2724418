// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import RuntimeSpec

/// Turns a container's configuration into what the runtime is to do: a pure value, made once at creation.
///
/// Starts from Docker's defaults and changes what the user asked for. Root path and cgroup path are the supervisor's.
struct SpecificationBuilder {
    static let cpuPeriodMicros: UInt64 = 100_000

    let settings: ContainerSettings
    let resolved: ResolvedConfiguration
    let files: NetworkFiles
    let host: Host
    /// "v1", "hybrid" or "v2".
    let cgroupLayout: String

    /// The specification as `config.json`.
    func specification() throws(EngineError) -> [UInt8] { try spec().json.serialized() }

    func spec() throws(EngineError) -> ContainerSpec {
        let granted = try CapabilityChoice(settings: settings, available: host.capabilities).granted
        var spec = DockerDefaults.spec(
            process: process,
            capabilities: granted,
            privileged: settings.isPrivileged,
            kernelRelease: host.kernelRelease
        )
        spec.process?.capabilities = CapabilitySets(granted)
        spec.root = ContainerSpec.Root(path: "rootfs", isReadOnly: settings.readOnlyRoot)
        spec.hostname = resolved.hostname
        spec.linux.namespaces = namespaces(spec.linux.namespaces)
        if settings.isPrivileged { spec.linux.devices = devices(beside: spec.linux.devices) }
        spec.linux.resources.memory = memory
        spec.linux.resources.cpu = cpu
        spec.linux.resources.pidsLimit = settings.limits.processes > 0 ? settings.limits.processes : nil
        spec.mounts = mounts(over: spec.mounts)
        return spec
    }

    private var process: ProcessSpec {
        var process = ProcessSpec(
            args: resolved.arguments,
            env: environment,
            cwd: resolved.workingDirectory.isEmpty ? "/" : resolved.workingDirectory,
            terminal: settings.hasTerminal,
            oomScoreAdj: 0
        )
        // Looked up in the container's own files when it starts; HOME comes from there too, unless it is set.
        process.user.username = resolved.user
        return process
    }

    private var environment: [String] {
        var own = ["PATH=" + DockerDefaults.path, "HOSTNAME=" + resolved.hostname]
        if settings.hasTerminal { own.append("TERM=xterm") }
        return Environment.merged(own, resolved.environment.filter { $0.contains("=") })
    }

    private func namespaces(_ defaults: [LinuxSpec.Namespace]) -> [LinuxSpec.Namespace] {
        defaults.filter { namespace in
            switch namespace.kind {
            case .network: settings.network != .host
            // Docker's default: private on v2, the host's where v1 controllers are in use.
            case .cgroup: cgroupLayout == "v2"
            default: true
            }
        }
    }

    private func devices(beside own: [Device]) -> [Device] {
        let paths = Set(own.map(\.path))
        return own + host.devices().filter { !paths.contains($0.path) }
    }

    private var memory: Resources.Memory? {
        guard settings.limits.memoryBytes > 0 else { return nil }
        let limit = Int64(clamping: settings.limits.memoryBytes)
        // As Docker: as much swap again as memory.
        return Resources.Memory(limit: limit, swap: limit * 2)
    }

    private var cpu: Resources.CPU? {
        guard settings.limits.nanoCPUs > 0 else { return nil }
        let quota = settings.limits.nanoCPUs * SpecificationBuilder.cpuPeriodMicros / 1_000_000_000
        return Resources.CPU(quotaMicros: Int64(quota), periodMicros: SpecificationBuilder.cpuPeriodMicros)
    }

    /// Docker's mounts without those that a volume replaces, then the engine's files, then the volumes, outer ones first.
    private func mounts(over defaults: [MountSpec]) -> [MountSpec] {
        let targets = Set(settings.binds.map { ContainerSettings.clean($0.target) })
        let files = files.mounts.filter { !targets.contains($0.target) }.map { file in
            MountSpec(
                destination: file.target,
                type: "bind",
                source: file.source,
                options: ["rbind", "rprivate"] + (settings.readOnlyRoot ? ["ro"] : [])
            )
        }
        let binds = settings.binds.map { bind in
            let propagation = bind.propagation.isEmpty ? "rprivate" : bind.propagation
            return MountSpec(
                destination: ContainerSettings.clean(bind.target),
                type: "bind",
                source: bind.source,
                options: ["rbind", propagation, bind.readOnly ? "ro" : "rw"]
            )
        }
        let byDepth = (files + binds).enumerated().sorted { left, right in
            let depths = (SpecificationBuilder.depth(left.element), SpecificationBuilder.depth(right.element))
            return depths.0 == depths.1 ? left.offset < right.offset : depths.0 < depths.1
        }
        return defaults.filter { !targets.contains($0.destination) } + byDepth.map(\.element)
    }

    private static func depth(_ mount: MountSpec) -> Int { mount.destination.split(separator: "/").count }
}

extension ExecSettings {
    /// The process that this asks for, in a container of that configuration.
    /// - Throws: `.invalidField` for what cannot be run.
    func process(in settings: ContainerSettings, _ resolved: ResolvedConfiguration, host: Host)
        throws(EngineError)
        -> [UInt8]
    {
        guard let program = command.first, !program.isEmpty else {
            throw .invalidField("command", "no command is given to execute", advice: "name a program")
        }
        let directory = workingDirectory.isEmpty ? resolved.workingDirectory : workingDirectory
        guard directory.isEmpty || directory.hasPrefix("/") else {
            throw .invalidField(
                "working directory",
                "the working directory \"\(directory)\" is not an absolute path"
            )
        }
        var own = ["PATH=" + DockerDefaults.path, "HOSTNAME=" + resolved.hostname]
        if hasTerminal { own.append("TERM=xterm") }
        let inherited = Environment.merged(own, resolved.environment.filter { $0.contains("=") })
        var process = ProcessSpec(
            args: command,
            env: Environment.merged(inherited, environment),
            cwd: directory.isEmpty ? "/" : directory,
            terminal: hasTerminal
        )
        process.user.username = user.isEmpty ? resolved.user : user
        // Otherwise absent: the container's own.
        if isPrivileged { process.capabilities = CapabilitySets(host.capabilities) }
        guard
            !(command + process.env + [process.user.username, process.cwd]).contains(where: {
                $0.utf8.contains(0)
            })
        else { throw .invalidField("command", "a NUL byte in an argument, variable or path") }
        return process.json.serialized()
    }
}
