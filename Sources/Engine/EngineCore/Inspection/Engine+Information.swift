// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import Suite
internal import System

/// What this engine is, and how it fares.
extension Engine {
    /// Each daemon's release; one that cannot be reached is "unavailable".
    package func components() async -> [String: String] {
        let supervisor = try? await supervisor.version().release
        let store = try? await images.version().release
        return [
            "engine": release,
            "supervisor": supervisor ?? "unavailable",
            "image-store": store ?? "unavailable",
        ]
    }

    package var version: String { release }
    package var kernelRelease: String { host.kernelRelease }

    /// The Docker API's fields of `/info`, as one JSON object.
    package func information() async throws -> [UInt8] {
        let supervised = try await supervisor.list().containers
        let version = try await supervisor.version()
        let store = try await images.version()
        let rows = try await database.containers()
        let states = Dictionary(supervised.map { ($0.id, $0) }) { $1 }
        let statuses = rows.filter { $0.state != .creating }.map { ContainerStatus($0, states[$0.id]) }
        let running = statuses.filter { $0 == .running || $0 == .restarting }.count
        let paused = statuses.filter { $0 == .paused }.count
        var object: JSON.Object = [
            "ID": .string((try? location.suiteID()) ?? ""),
            "Containers": .integer(Int64(statuses.count)),
            "ContainersRunning": .integer(Int64(running)),
            "ContainersPaused": .integer(Int64(paused)),
            "ContainersStopped": .integer(Int64(statuses.count - running - paused)),
            "Images": .integer(Int64(clamping: store.images)),
            "Driver": .string(store.storageDriver),
            "DriverStatus": [],
            "DockerRootDir": .string(location.root),
            "Plugins": [
                "Volume": [], "Network": ["host", "none"], "Authorization": .null,
                "Log": ["json-file", "local", "none"],
            ],
            "LoggingDriver": "local",
            "CgroupDriver": "cgroupfs",
            "CgroupVersion": version.cgroupLayout == "v2" ? "2" : "1",
        ]
        for (key, value) in hostFields { object[key] = value }
        object["Warnings"] = .texts(warnings)
        return JSON.object(object).serialized()
    }

    private var hostFields: [(String, JSON)] {
        [
            ("MemoryLimit", true),
            ("SwapLimit", true),
            ("CpuCfsPeriod", true),
            ("CpuCfsQuota", true),
            ("CPUShares", true),
            ("CPUSet", true),
            ("PidsLimit", true),
            ("OomKillDisable", true),
            ("Debug", false),
            ("SystemTime", .string(Moment.text(Clock.wallNanos))),
            ("KernelVersion", .string(host.kernelRelease)),
            ("OperatingSystem", .string(host.operatingSystem)),
            ("OSVersion", .string(host.operatingSystemVersion)),
            ("OSType", "linux"),
            ("Architecture", .string(Host.machine)),
            ("NCPU", .integer(Int64(host.cpus))),
            ("MemTotal", .integer(Int64(clamping: host.memoryBytes))),
            ("IndexServerAddress", "https://index.docker.io/v1/"),
            ("Name", .string(host.name)),
            ("Labels", []),
            ("ExperimentalBuild", false),
            ("ServerVersion", .string(release)),
            ("Runtimes", ["petrel": ["path": "petrel-keeper"]]),
            ("DefaultRuntime", "petrel"),
            ("LiveRestoreEnabled", true),
            ("Isolation", ""),
            ("InitBinary", "petrel-container-init"),
            ("SecurityOptions", ["name=seccomp,profile=builtin"]),
        ]
    }

    /// What is possible here only in part.
    private var warnings: [String] {
        let missing = host.missingCapabilities
        guard !missing.isEmpty else { return [] }
        return [
            "WARNING: this machine's root lacks \(missing.joined(separator: ", ")): no container can have what it lacks"
        ]
    }
}
