// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import RuntimeSpec

/// The Docker API's `ContainerInspectResponse` of a container.
struct ContainerInspection {
    let row: ContainerRow
    let state: SupervisedContainer?
    let execs: [ContainerID]
    let files: NetworkFiles
    let snapshot: PreparedSnapshot?
    let platform: String
    let cgroupLayout: String

    private var settings: ContainerSettings { row.settings }
    private var resolved: ResolvedConfiguration { row.resolved }

    var json: JSON {
        [
            "Id": .string(row.id.text),
            "Created": .string(Moment.text(row.createdAtUnixNanos)),
            "Path": .string(resolved.arguments.first ?? ""),
            "Args": .texts(Array(resolved.arguments.dropFirst())),
            "State": stateJSON,
            "Image": .string(row.imageID),
            "ResolvConfPath": .string(files.resolver),
            "HostnamePath": .string(files.hostname),
            "HostsPath": .string(files.hosts),
            "LogPath": .string(state?.outputDirectory ?? ""),
            "Name": .string("/" + row.name),
            "RestartCount": .integer(Int64(state?.restartCount ?? 0)),
            "Driver": "overlay",
            "Platform": .string(platform),
            "MountLabel": "",
            "ProcessLabel": "",
            "AppArmorProfile": "",
            "ExecIDs": execs.isEmpty ? .null : .texts(execs.map(\.text)),
            "HostConfig": hostConfiguration,
            "GraphDriver": graphDriver,
            "Mounts": .array(settings.binds.map(mount)),
            "Config": configuration,
            "NetworkSettings": network,
        ]
    }

    private var stateJSON: JSON {
        let status = ContainerStatus(row, state)
        let exit = state?.exit
        let isLost = status == .dead
        return [
            "Status": .string(status.rawValue),
            // The Docker API counts a paused and a restarting one as running too.
            "Running": .bool(status.isActive),
            "Paused": .bool(status == .paused),
            "Restarting": .bool(status == .restarting),
            "OOMKilled": .bool(exit?.outOfMemory ?? false),
            "Dead": .bool(isLost),
            "Pid": .integer(Int64(state?.pid ?? 0)),
            "ExitCode": .integer(Int64(status == .running || status == .paused ? 0 : exit?.code ?? 0)),
            "Error": .string(isLost ? "the supervisor does not know this container" : exit?.failure ?? ""),
            "StartedAt": .string(Moment.textOrZero(state?.startedAtUnixNanos ?? 0)),
            "FinishedAt": .string(Moment.textOrZero(exit?.atUnixNanos ?? 0)),
        ]
    }

    private var configuration: JSON {
        var object: JSON.Object = [
            "Hostname": .string(resolved.hostname),
            "Domainname": "",
            "User": .string(resolved.user),
            "AttachStdin": .bool(settings.opensStdin),
            "AttachStdout": true,
            "AttachStderr": true,
            "Tty": .bool(settings.hasTerminal),
            "OpenStdin": .bool(settings.opensStdin),
            "StdinOnce": .bool(settings.stdinOnce),
            "Env": .texts(resolved.environment),
            "Cmd": .texts(resolved.command),
            "Image": .string(settings.image),
            "Volumes": resolved.imageVolumes.isEmpty ? .null : .set(resolved.imageVolumes),
            "WorkingDir": .string(resolved.workingDirectory),
            "Entrypoint": resolved.entrypoint.map(JSON.texts) ?? .null,
            "OnBuild": .null,
            "Labels": .map(resolved.labels),
            "StopSignal": .string(resolved.stopSignal),
        ]
        if let timeout = settings.stopTimeoutSeconds { object["StopTimeout"] = .integer(Int64(timeout)) }
        return .object(object)
    }

    private var hostConfiguration: JSON {
        let limits = settings.limits
        let isPrivileged = settings.isPrivileged
        var object: JSON.Object = [
            "Binds": settings.binds.isEmpty ? .null : .texts(settings.binds.map(bindText)),
            "ContainerIDFile": "",
            "LogConfig": ["Type": "local", "Config": [:]],
            "NetworkMode": .string(settings.network.rawValue),
            "PortBindings": [:],
            "RestartPolicy": [
                "Name": .string(settings.restart.mode.rawValue),
                "MaximumRetryCount": .integer(Int64(settings.restart.maximumRetries)),
            ],
            "AutoRemove": .bool(settings.autoRemove),
            "VolumeDriver": "",
            "VolumesFrom": .null,
            "ConsoleSize": [0, 0],
            "CapAdd": settings.capabilitiesAdded.isEmpty ? .null : .texts(settings.capabilitiesAdded),
            "CapDrop": settings.capabilitiesDropped.isEmpty ? .null : .texts(settings.capabilitiesDropped),
            "CgroupnsMode": cgroupLayout == "v2" ? "private" : "host",
            "Dns": [],
            "DnsOptions": [],
            "DnsSearch": [],
            "ExtraHosts": .null,
            "GroupAdd": .null,
            "IpcMode": "private",
            "Cgroup": "",
            "Links": .null,
            "OomScoreAdj": 0,
            "PidMode": "",
            "Privileged": .bool(isPrivileged),
            "PublishAllPorts": false,
            "ReadonlyRootfs": .bool(settings.readOnlyRoot),
            "SecurityOpt": isPrivileged ? ["label=disable"] : .null,
            "UTSMode": "",
            "UsernsMode": "",
            "ShmSize": 67_108_864,
            "Runtime": "petrel",
            "Isolation": "",
            "CpuShares": 0,
            "Memory": .integer(Int64(clamping: limits.memoryBytes)),
            "NanoCpus": .integer(Int64(clamping: limits.nanoCPUs)),
        ]
        for (key, value) in resourceFields { object[key] = value }
        object["MaskedPaths"] = isPrivileged ? .null : .texts(DockerDefaults.maskedPaths)
        object["ReadonlyPaths"] = isPrivileged ? .null : .texts(DockerDefaults.readonlyPaths)
        return .object(object)
    }

    private var resourceFields: [(String, JSON)] {
        let limits = settings.limits
        return [
            ("CgroupParent", ""),
            ("BlkioWeight", 0),
            ("BlkioWeightDevice", []),
            ("BlkioDeviceReadBps", []),
            ("BlkioDeviceWriteBps", []),
            ("BlkioDeviceReadIOps", []),
            ("BlkioDeviceWriteIOps", []),
            ("CpuPeriod", 0),
            ("CpuQuota", 0),
            ("CpuRealtimePeriod", 0),
            ("CpuRealtimeRuntime", 0),
            ("CpusetCpus", ""),
            ("CpusetMems", ""),
            ("Devices", []),
            ("DeviceCgroupRules", .null),
            ("DeviceRequests", .null),
            ("MemoryReservation", 0),
            ("MemorySwap", .integer(Int64(clamping: limits.memoryBytes) * 2)),
            ("MemorySwappiness", .null),
            ("OomKillDisable", false),
            ("PidsLimit", limits.processes == 0 ? .null : .integer(limits.processes)),
            ("Ulimits", .null),
            ("CpuCount", 0),
            ("CpuPercent", 0),
            ("IOMaximumIOps", 0),
            ("IOMaximumBandwidth", 0),
        ]
    }

    private func bindText(_ bind: ContainerSettings.Bind) -> String {
        let options = [bind.readOnly ? "ro" : "", bind.propagation].filter { !$0.isEmpty }
        return "\(bind.source):\(bind.target)" + (options.isEmpty ? "" : ":" + options.joined(separator: ","))
    }

    private func mount(_ bind: ContainerSettings.Bind) -> JSON {
        [
            "Type": "bind",
            "Source": .string(bind.source),
            "Destination": .string(bind.target),
            "Mode": .string(bind.readOnly ? "ro" : ""),
            "RW": .bool(!bind.readOnly),
            "Propagation": .string(bind.propagation.isEmpty ? "rprivate" : bind.propagation),
        ]
    }

    private var graphDriver: JSON {
        var data = JSON.Object()
        data["UpperDir"] = snapshot.map { .string($0.upperDirectory) }
        return ["Name": "overlay", "Data": .object(data)]
    }

    private var network: JSON {
        let endpoint: JSON = [
            "IPAMConfig": .null, "Links": .null, "Aliases": .null, "MacAddress": "", "DriverOpts": .null,
            "NetworkID": "", "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0,
            "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": .null,
        ]
        return [
            "SandboxID": "",
            "SandboxKey": "",
            "Ports": [:],
            "Networks": .object([settings.network.rawValue: endpoint]),
        ]
    }
}
