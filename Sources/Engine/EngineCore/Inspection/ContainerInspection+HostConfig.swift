// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import RuntimeSpec

/// The Docker API's `HostConfig`, with what was asked for.
extension ContainerInspection {
    var hostConfiguration: JSON {
        let isPrivileged = settings.isPrivileged
        var object: JSON.Object = [
            "Binds": settings.binds.isEmpty ? .null : .texts(settings.binds.map(bindText)),
            "ContainerIDFile": "",
            "LogConfig": [
                "Type": .string(settings.log.driver.isEmpty ? "local" : settings.log.driver),
                "Config": .map(settings.log.options),
            ],
            "NetworkMode": .string(settings.network.rawValue),
            "PortBindings": [:],
            "RestartPolicy": [
                "Name": .string(settings.restart.mode.rawValue),
                "MaximumRetryCount": .integer(Int64(settings.restart.maximumRetries)),
            ],
            "AutoRemove": .bool(settings.autoRemove),
            "VolumeDriver": "",
            "VolumesFrom": .textsOrNull(settings.storage.volumesFrom),
            "ConsoleSize": [
                .integer(Int64(settings.consoleSize?.rows ?? 0)),
                .integer(Int64(settings.consoleSize?.columns ?? 0)),
            ],
            "CapAdd": .textsOrNull(settings.capabilitiesAdded),
            "CapDrop": .textsOrNull(settings.capabilitiesDropped),
            "Cgroup": "",
            "Links": .null,
            "OomScoreAdj": .integer(Int64(settings.process.outOfMemoryScore)),
            "Privileged": .bool(isPrivileged),
            "PublishAllPorts": false,
            "ReadonlyRootfs": .bool(settings.readOnlyRoot),
            "SecurityOpt": .textsOrNull(securityOptions),
            "Runtime": "petrel",
            "Isolation": "",
        ]
        for (key, value) in namespaceFields + nameFields + limitFields + deviceFields + updatedFields {
            object[key] = value
        }
        addOptional(to: &object)
        let security = try? SecurityChoice(settings: settings, host: host)
        let hides = security?.hidesSystemPaths ?? true
        object["MaskedPaths"] = hides ? .texts(DockerDefaults.maskedPaths) : isPrivileged ? .null : []
        object["ReadonlyPaths"] = hides ? .texts(DockerDefaults.readonlyPaths) : isPrivileged ? .null : []
        return .object(object)
    }

    /// What updates have set over the creation's.
    private var updatedFields: [(String, JSON)] {
        guard let updated = settings.updated else { return [] }
        let numbers: [(String, Int64?)] = [
            ("Memory", updated.memoryBytes), ("MemorySwap", updated.memorySwapBytes),
            ("MemoryReservation", updated.memoryReservationBytes), ("NanoCpus", updated.nanoCPUs),
            ("CpuShares", updated.cpuShares), ("CpuPeriod", updated.cpuPeriodMicros),
            ("CpuQuota", updated.cpuQuotaMicros), ("PidsLimit", updated.processes),
            ("BlkioWeight", updated.blockWeight),
        ]
        let texts = [("CpusetCpus", updated.cpusetCPUs), ("CpusetMems", updated.cpusetMemories)]
        return numbers.compactMap { name, number in number.map { (name, .integer($0)) } }
            + texts.compactMap { name, text in text.map { (name, .string($0)) } }
    }

    /// Fields that Docker leaves out when they are empty.
    private func addOptional(to object: inout JSON.Object) {
        if settings.process.hasInit { object["Init"] = true }
        if !settings.storage.tmpfs.isEmpty { object["Tmpfs"] = .map(settings.storage.tmpfs) }
        if !settings.sysctls.isEmpty { object["Sysctls"] = .map(settings.sysctls) }
        if !settings.annotations.isEmpty { object["Annotations"] = .map(settings.annotations) }
        if !settings.storage.mounts.isEmpty { object["Mounts"] = .array(settings.storage.mounts.map(mount)) }
    }

    private var securityOptions: [String] {
        settings.isPrivileged && settings.securityOptions.isEmpty
            ? ["label=disable"] : settings.securityOptions
    }

    private var namespaceFields: [(String, JSON)] {
        let modes = settings.namespaces
        return [
            ("CgroupnsMode", modes.hasOwnControlGroups(cgroupLayout) ? "private" : "host"),
            ("IpcMode", .string(modes.ipc.rawValue)),
            ("PidMode", .string(modes.process.rawValue)),
            ("UTSMode", modes.sharesHostNames ? "host" : ""),
            ("UsernsMode", .string(modes.users)),
            ("CgroupParent", .string(settings.cgroupParent)),
        ]
    }

    private var nameFields: [(String, JSON)] {
        [
            ("Dns", .texts(settings.names.servers)),
            ("DnsOptions", .texts(settings.names.options)),
            ("DnsSearch", .texts(settings.names.search)),
            ("ExtraHosts", .textsOrNull(settings.names.extraHosts)),
            ("GroupAdd", .textsOrNull(settings.process.groups)),
        ]
    }

    private var limitFields: [(String, JSON)] {
        let (limits, more) = (settings.limits, settings.resources)
        let shared = settings.storage.sharedMemoryBytes
        return [
            ("ShmSize", .integer(shared == 0 ? 64 << 20 : Int64(clamping: shared))),
            ("CpuShares", .integer(more.cpuShares)),
            ("Memory", .integer(Int64(clamping: limits.memoryBytes))),
            ("NanoCpus", .integer(Int64(clamping: limits.nanoCPUs))),
            ("BlkioWeight", .integer(Int64(more.blockWeight))),
            ("BlkioWeightDevice", []),
            ("BlkioDeviceReadBps", rates(more.readBytes)),
            ("BlkioDeviceWriteBps", rates(more.writeBytes)),
            ("BlkioDeviceReadIOps", rates(more.readOperations)),
            ("BlkioDeviceWriteIOps", rates(more.writeOperations)),
            ("CpuPeriod", .integer(more.cpuPeriodMicros)),
            ("CpuQuota", .integer(more.cpuQuotaMicros)),
            ("CpuRealtimePeriod", 0),
            ("CpuRealtimeRuntime", 0),
            ("CpusetCpus", .string(more.cpusetCPUs)),
            ("CpusetMems", .string(more.cpusetMemories)),
            ("MemoryReservation", .integer(Int64(clamping: more.memoryReservationBytes))),
            ("MemorySwap", .integer(ResourcesBuilder.memorySwap(settings))),
            ("MemorySwappiness", more.memorySwappiness.map { .integer(Int64($0)) } ?? .null),
            ("OomKillDisable", .bool(more.disablesOOMKiller && cgroupLayout != "v2")),
            ("PidsLimit", limits.processes == 0 ? .null : .integer(limits.processes)),
            ("CpuCount", 0),
            ("CpuPercent", 0),
            ("IOMaximumIOps", 0),
            ("IOMaximumBandwidth", 0),
        ]
    }

    private var deviceFields: [(String, JSON)] {
        let mappings = settings.devices.mappings.map { mapping -> JSON in
            [
                "PathOnHost": .string(mapping.source),
                "PathInContainer": .string(mapping.target),
                "CgroupPermissions": .string(mapping.permissions),
            ]
        }
        let ulimits = settings.process.limits.map { limit -> JSON in
            ["Name": .string(limit.name), "Hard": .integer(limit.hard), "Soft": .integer(limit.soft)]
        }
        return [
            ("Devices", .array(mappings)),
            ("DeviceCgroupRules", .textsOrNull(settings.devices.rules)),
            ("DeviceRequests", .null),
            ("Ulimits", ulimits.isEmpty ? .null : .array(ulimits)),
        ]
    }

    private func rates(_ rates: [ContainerSettings.Resources.Rate]) -> JSON {
        .array(rates.map { ["Path": .string($0.path), "Rate": .integer(Int64(clamping: $0.rate))] })
    }

    private func bindText(_ bind: ContainerSettings.Bind) -> String {
        let options = [bind.readOnly ? "ro" : "", bind.propagation].filter { !$0.isEmpty }
        return "\(bind.source):\(bind.target)" + (options.isEmpty ? "" : ":" + options.joined(separator: ","))
    }

    private func mount(_ mount: ContainerSettings.Storage.Mount) -> JSON {
        var object: JSON.Object = ["Type": .string(mount.kind.rawValue)]
        if !mount.source.isEmpty { object["Source"] = .string(mount.source) }
        object["Target"] = .string(mount.target)
        if mount.readOnly { object["ReadOnly"] = true }
        var options = JSON.Object()
        if !mount.propagation.isEmpty { options["Propagation"] = .string(mount.propagation) }
        if mount.isNonRecursive { options["NonRecursive"] = true }
        if mount.createSource { options["CreateMountpoint"] = true }
        if !options.isEmpty { object["BindOptions"] = .object(options) }
        options = JSON.Object()
        if mount.sizeBytes > 0 { options["SizeBytes"] = .integer(Int64(clamping: mount.sizeBytes)) }
        if mount.mode > 0 { options["Mode"] = .integer(Int64(mount.mode)) }
        if !options.isEmpty { object["TmpfsOptions"] = .object(options) }
        return .object(object)
    }
}

extension JSON {
    static func textsOrNull(_ texts: [String]) -> JSON { texts.isEmpty ? .null : .texts(texts) }
}
