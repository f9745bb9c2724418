// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
internal import Messages

// A container's configuration, from the engine's own protocol to the core's settings.

extension ContainerSettings {
    /// - Throws: for a restart policy or network that is none.
    init(_ config: EngineV1.ContainerConfig) throws(EngineError) {
        self.init()
        image = config.image
        entrypoint = config.entrypointSet || !config.entrypoint.isEmpty ? config.entrypoint : nil
        command = config.command
        environment = config.environment
        workingDirectory = config.workingDirectory
        user = config.user
        hostname = config.hostname
        labels = config.labels
        binds = config.volumes.map(Bind.init)
        restart = try RestartPolicy(
            name: config.restartPolicy?.name ?? "",
            maximumRetries: config.restartPolicy?.maximumRetries ?? 0
        )
        limits = Limits(
            memoryBytes: config.limits?.memoryBytes ?? 0,
            nanoCPUs: config.limits?.nanoCpus ?? 0,
            processes: config.limits?.pids ?? 0
        )
        capabilitiesAdded = config.capabilitiesAdded
        capabilitiesDropped = config.capabilitiesDropped
        isPrivileged = config.privileged
        network = try NetworkMode(name: config.network)
        autoRemove = config.autoRemove
        hasTerminal = config.terminal
        opensStdin = config.openStdin
        stdinOnce = config.stdinOnce
        stopSignal = config.stopSignal
        stopTimeoutSeconds = config.stopTimeoutSeconds
        readOnlyRoot = config.readOnlyRoot
        consoleSize = try config.consoleSize.map(ConsoleSize.init)
        attached = config.attached.map {
            AttachedStreams(input: $0.stdin, output: $0.stdout, error: $0.stderr)
        }
        try readParts(config)
    }

    private mutating func readParts(_ config: EngineV1.ContainerConfig) throws(EngineError) {
        resources = Resources(config.resources ?? EngineV1.Resources())
        storage.mounts = try config.mounts.map { mount throws(EngineError) in try Storage.Mount(mount) }
        storage.tmpfs = config.tmpfs
        storage.volumesFrom = config.volumesFrom
        storage.sharedMemoryBytes = config.shmSizeBytes
        devices.mappings = config.devices.map {
            Devices.Mapping(source: $0.pathOnHost, target: $0.pathInContainer, permissions: $0.permissions)
        }
        devices.rules = config.deviceCgroupRules
        namespaces = try Namespaces(
            pid: config.pidMode,
            ipc: config.ipcMode,
            uts: config.utsMode,
            users: config.usernsMode,
            controlGroups: config.cgroupnsMode
        )
        process.groups = config.groupsAdded
        process.hasInit = config.hasInit
        process.limits = config.ulimits.map { Process.Limit(name: $0.name, soft: $0.soft, hard: $0.hard) }
        process.outOfMemoryScore = config.oomScoreAdj
        names.domainname = config.domainname
        names.extraHosts = config.extraHosts
        names.servers = config.dns
        names.search = config.dnsSearch
        names.options = config.dnsOptions
        log.driver = config.log?.driver ?? ""
        log.options = config.log?.options ?? [:]
        securityOptions = config.securityOptions
        sysctls = config.sysctls
        annotations = config.annotations
        cgroupParent = config.cgroupParent
        platform = config.platform
        health = config.health.map(Health.init)
    }
}

extension ContainerSettings.Bind {
    init(_ volume: EngineV1.Volume) {
        self.init(
            source: volume.source,
            target: volume.target,
            readOnly: volume.readOnly,
            propagation: volume.propagation,
            createSource: volume.createSource
        )
    }
}

extension ContainerSettings.Storage.Mount {
    /// - Throws: `.invalidField` for a type that is none.
    init(_ mount: EngineV1.Mount) throws(EngineError) {
        guard let kind = Kind(rawValue: mount.type.isEmpty ? "bind" : mount.type) else {
            let advice = "use bind or tmpfs; named volumes do not exist yet"
            throw .invalidField(
                "mount",
                "unsupported mount type \"\(mount.type)\" for \(mount.target)",
                advice: advice
            )
        }
        self.init(kind, target: mount.target)
        source = mount.source
        readOnly = mount.readOnly
        propagation = mount.propagation
        isNonRecursive = mount.nonRecursive
        createSource = mount.createSource
        sizeBytes = mount.tmpfsSizeBytes
        mode = mount.tmpfsMode
    }
}

extension ContainerSettings.Resources {
    init(_ message: EngineV1.Resources) {
        self.init()
        memorySwapBytes = message.memorySwapBytes
        memoryReservationBytes = message.memoryReservationBytes
        memorySwappiness = message.memorySwappiness
        disablesOOMKiller = message.oomKillDisable
        cpuShares = message.cpuShares
        cpuPeriodMicros = message.cpuPeriodMicros
        cpuQuotaMicros = message.cpuQuotaMicros
        cpusetCPUs = message.cpusetCpus
        cpusetMemories = message.cpusetMems
        blockWeight = message.blkioWeight
        readBytes = message.deviceReadBps.map { Rate(path: $0.path, rate: $0.rate) }
        writeBytes = message.deviceWriteBps.map { Rate(path: $0.path, rate: $0.rate) }
        readOperations = message.deviceReadIops.map { Rate(path: $0.path, rate: $0.rate) }
        writeOperations = message.deviceWriteIops.map { Rate(path: $0.path, rate: $0.rate) }
    }
}

extension ContainerSettings.Health {
    init(_ message: EngineV1.HealthConfig) {
        self.init()
        test = message.test
        intervalNanos = message.intervalNanos
        timeoutNanos = message.timeoutNanos
        retries = message.retries
        startPeriodNanos = message.startPeriodNanos
        startIntervalNanos = message.startIntervalNanos
    }
}
