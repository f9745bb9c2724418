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
    /// Nil: not asked for, or the store has nothing of it.
    let written: ImageUsage.Written?
    let platform: String
    let cgroupLayout: String
    let host: Host

    var settings: ContainerSettings { row.settings }
    var resolved: ResolvedConfiguration { row.resolved }

    var json: JSON {
        guard let written else { return .object(fields) }
        var sized = fields
        sized["SizeRw"] = .integer(Int64(clamping: written.bytes))
        sized["SizeRootFs"] = .integer(Int64(clamping: written.bytes &+ written.layersBytes))
        return .object(sized)
    }

    private var fields: JSON.Object {
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
            "LogPath": .string(settings.log.driver == "none" ? "" : state?.outputDirectory ?? ""),
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
            "Mounts": .array(mounts),
            "Config": configuration,
            "NetworkSettings": network,
        ]
    }

    private var stateJSON: JSON {
        let status = ContainerStatus(row, state)
        // Of a run that goes on nothing is told of the one before.
        let exit = status == .running || status == .paused ? nil : state?.exit
        let finishedAt = state?.exit?.atUnixNanos ?? 0
        let isLost = status == .dead
        var object: JSON.Object = [
            "Status": .string(status.rawValue),
            // The Docker API counts a paused and a restarting one as running too.
            "Running": .bool(status.isActive),
            "Paused": .bool(status == .paused),
            "Restarting": .bool(status == .restarting),
            "OOMKilled": .bool(exit?.outOfMemory ?? false),
            "Dead": .bool(isLost),
            "Pid": .integer(Int64(state?.pid ?? 0)),
            "ExitCode": .integer(Int64(exit?.code ?? 0)),
            "Error": .string(isLost ? "the supervisor does not know this container" : exit?.failure ?? ""),
            "StartedAt": .string(Moment.textOrZero(state?.startedAtUnixNanos ?? 0)),
            "FinishedAt": .string(Moment.textOrZero(finishedAt)),
        ]
        if let health = state?.health { object["Health"] = ContainerInspection.json(health) }
        return .object(object)
    }

    private static func json(_ health: SupervisedHealth) -> JSON {
        [
            "Status": .string(health.status.rawValue),
            "FailingStreak": .integer(Int64(health.failingStreak)),
            "Log": .array(
                health.results.map { result in
                    [
                        "Start": .string(Moment.text(result.startedAtUnixNanos)),
                        "End": .string(Moment.text(result.endedAtUnixNanos)),
                        "ExitCode": .integer(Int64(result.exitCode)),
                        "Output": .string(String(decoding: result.output, as: UTF8.self)),
                    ]
                }
            ),
        ]
    }

    private static func json(_ health: ContainerSettings.Health) -> JSON {
        var object: JSON.Object = ["Test": .texts(health.test)]
        for (key, value) in [
            ("Interval", health.intervalNanos), ("Timeout", health.timeoutNanos),
            ("StartPeriod", health.startPeriodNanos), ("StartInterval", health.startIntervalNanos),
            ("Retries", health.retries),
        ] where value != 0 { object[key] = .integer(value) }
        return .object(object)
    }

    private var configuration: JSON {
        var object: JSON.Object = [
            "Hostname": .string(resolved.hostname),
            "Domainname": .string(resolved.domainname ?? ""),
            "User": .string(resolved.user),
            "AttachStdin": .bool(settings.attached?.input ?? settings.opensStdin),
            "AttachStdout": .bool(settings.attached?.output ?? true),
            "AttachStderr": .bool(settings.attached?.error ?? true),
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
        if let health = resolved.health { object["Healthcheck"] = ContainerInspection.json(health) }
        if let timeout = settings.stopTimeoutSeconds { object["StopTimeout"] = .integer(Int64(timeout)) }
        return .object(object)
    }

    /// Also what other containers have brought; a tmpfs only where it was asked for as a mount.
    private var mounts: [JSON] {
        let own = settings.binds.map(\.mount) + settings.storage.mounts
        let targets = Set(own.map { ContainerSettings.clean($0.target) })
        let inherited = (resolved.inheritedMounts ?? []).filter {
            !targets.contains(ContainerSettings.clean($0.target))
        }
        return (inherited + own).map { mount in
            let isBind = mount.kind == .bind
            return [
                "Type": .string(mount.kind.rawValue),
                "Source": .string(mount.source),
                "Destination": .string(ContainerSettings.clean(mount.target)),
                "Mode": .string(isBind && mount.readOnly ? "ro" : ""),
                "RW": .bool(!mount.readOnly),
                "Propagation": .string(
                    isBind ? mount.propagation.isEmpty ? "rprivate" : mount.propagation : ""
                ),
            ]
        }
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
