// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import RuntimeSpec

/// Turns a container's configuration into what the runtime is to do: a pure value, made once at creation.
///
/// Starts from Docker's defaults and changes what the user asked for. Root path and cgroup path are the supervisor's.
struct SpecificationBuilder {
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
        let security = try SecurityChoice(settings: settings, host: host)
        var spec = DockerDefaults.spec(
            process: try process(security),
            capabilities: granted,
            privileged: settings.isPrivileged,
            kernelRelease: host.kernelRelease
        )
        spec.process?.capabilities = CapabilitySets(granted)
        spec.root = ContainerSpec.Root(path: "rootfs", isReadOnly: settings.readOnlyRoot)
        if !settings.namespaces.sharesHostNames {
            spec.hostname = resolved.hostname
            spec.domainname = resolved.domainname ?? ""
        }
        spec.annotations = settings.annotations
        spec.linux.namespaces = namespaces(spec.linux.namespaces)
        spec.linux.seccomp = try security.seccomp(capabilities: granted, kernelRelease: host.kernelRelease)
        if !security.hidesSystemPaths { (spec.linux.maskedPaths, spec.linux.readonlyPaths) = ([], []) }
        spec.linux.sysctl = settings.sysctls
        spec.linux.devices = try devices(beside: spec.linux.devices)
        spec.linux.resources = try ResourcesBuilder(
            settings: settings,
            host: host,
            cgroupLayout: cgroupLayout
        )
        .resources(over: spec.linux.resources)
        spec.mounts = try MountsBuilder(settings: settings, resolved: resolved, files: files, host: host)
            .mounts(over: spec.mounts)
        return spec
    }

    private func process(_ security: SecurityChoice) throws(EngineError) -> ProcessSpec {
        let own = settings.process.hasInit ? [MountsBuilder.initPath, "--"] : []
        var process = ProcessSpec(
            args: own + resolved.arguments,
            env: environment,
            cwd: resolved.workingDirectory.isEmpty ? "/" : resolved.workingDirectory,
            terminal: settings.hasTerminal,
            rlimits: try settings.resourceLimits(),
            noNewPrivileges: security.forbidsNewPrivileges,
            oomScoreAdj: settings.process.outOfMemoryScore
        )
        // Looked up in the container's own files when it starts; HOME comes from there too, unless it is set.
        process.user.username = resolved.user
        process.user.additionalGroups = settings.process.groups
        if settings.hasTerminal { process.consoleSize = settings.consoleSize?.specification }
        return process
    }

    private var environment: [String] {
        var own = ["PATH=" + DockerDefaults.path, "HOSTNAME=" + resolved.hostname]
        if settings.hasTerminal { own.append("TERM=xterm") }
        return Environment.merged(own, resolved.environment.filter { $0.contains("=") })
    }

    /// Those that another container has stay among the new ones: the supervisor's start puts the other's in their place.
    private func namespaces(_ defaults: [LinuxSpec.Namespace]) -> [LinuxSpec.Namespace] {
        let modes = settings.namespaces
        return defaults.filter { namespace in
            switch namespace.kind {
            case .network: settings.network != .host
            case .pid: modes.process != .host
            case .ipc: modes.ipc != .host
            case .uts: !modes.sharesHostNames
            // Docker's default: private on v2, the host's where v1 controllers are in use.
            case .cgroup: modes.hasOwnControlGroups(cgroupLayout)
            default: true
            }
        }
    }

    private func devices(beside own: [Device]) throws(EngineError) -> [Device] {
        var devices = own
        for mapping in settings.devices.mappings {
            for device in try host.devices(for: mapping) {
                devices.removeAll { $0.path == device.path }
                devices.append(device)
            }
        }
        guard settings.isPrivileged else { return devices }
        let paths = Set(devices.map(\.path))
        return devices + host.devices().filter { !paths.contains($0.path) }
    }
}

extension ContainerSettings.Namespaces {
    func hasOwnControlGroups(_ cgroupLayout: String) -> Bool {
        controlGroups.map { $0 == "private" } ?? (cgroupLayout == "v2")
    }
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
        process.user.additionalGroups = settings.process.groups
        if hasTerminal { process.consoleSize = consoleSize?.specification }
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
