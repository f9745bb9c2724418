// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Fields that the Docker engine's objects have in templates even where their JSON leaves them out for being empty.
package enum InspectFields {
    private static let container: JSON = [
        "Config": [
            "ArgsEscaped": false, "ExposedPorts": [:], "Healthcheck": .null, "MacAddress": "",
            "NetworkDisabled": false, "Shell": [], "StopTimeout": .null,
        ],
        "HostConfig": [
            "Annotations": [:], "Init": .null, "Mounts": [], "StorageOpt": [:], "Sysctls": [:], "Tmpfs": [:],
        ],
        "NetworkSettings": [
            "Bridge": "", "EndpointID": "", "Gateway": "", "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0, "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "", "MacAddress": "",
            "Networks": [:], "Ports": [:], "SandboxID": "", "SandboxKey": "",
        ],
        "SizeRootFs": .null, "SizeRw": .null,
        "State": ["Health": .null],
    ]
    private static let image: JSON = [
        "Author": "", "Comment": "", "DockerVersion": "", "OsVersion": "", "Parent": "", "RepoDigests": [],
        "RepoTags": [], "Variant": "",
        "Config": [
            "ArgsEscaped": false, "Cmd": [], "Entrypoint": [], "Env": [], "ExposedPorts": [:],
            "Healthcheck": .null, "Labels": [:], "OnBuild": [], "Shell": [], "StopSignal": "", "User": "",
            "Volumes": [:], "WorkingDir": "",
        ],
    ]

    /// An object of `inspect` as templates see it; `ID` is its `Id`.
    package static func filled(_ object: JSON) -> JSON {
        // Images do not run.
        let whole = merged(object, object["State"] == nil ? image : container)
        guard case .object(var members) = whole, let id = members["Id"] else { return whole }
        members["ID"] = id
        return .object(members)
    }

    private static func merged(_ value: JSON, _ empty: JSON) -> JSON {
        guard case .object(var members) = value, case .object(let others) = empty else { return value }
        for (key, other) in others { members[key] = members[key].map { merged($0, other) } ?? other }
        return .object(members)
    }
}
