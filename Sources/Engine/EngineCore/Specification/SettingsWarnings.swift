// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec

/// What this machine, or another option, keeps from working as the user may expect.
struct SettingsWarnings {
    let settings: ContainerSettings
    let host: Host
    /// "v1", "hybrid" or "v2".
    let cgroupLayout: String

    var texts: [String] {
        let single = [
            privileges, outOfMemoryScore, outOfMemoryKiller, swappiness, blockWeight, logBuffer,
            logCompression,
        ]
        return single.compactMap { $0 } + security + limits
    }

    private var privileges: String? {
        guard settings.isPrivileged, !settings.capabilitiesDropped.isEmpty else { return nil }
        return "--cap-drop has no effect on a privileged container"
    }

    private var mayRaiseLimits: Bool { host.capabilities.contains(.sysResource) }

    private var outOfMemoryScore: String? {
        let score = settings.process.outOfMemoryScore
        guard score < 0, !mayRaiseLimits else { return nil }
        return "the OOM score adjustment \(score) is not applied: this machine's root lacks CAP_SYS_RESOURCE"
    }

    private var outOfMemoryKiller: String? {
        guard settings.resources.disablesOOMKiller else { return nil }
        if cgroupLayout == "v2" {
            return "the OOM killer stays enabled: version 2 of control groups has no such option"
        }
        guard settings.limits.memoryBytes == 0 else { return nil }
        return "the OOM killer is disabled, but no memory limit is set: the machine may run out of memory"
    }

    private var swappiness: String? {
        guard settings.resources.memorySwappiness != nil, cgroupLayout == "v2" else { return nil }
        return "the memory swappiness is discarded: version 2 of control groups has no such option"
    }

    static let noBlockWeight =
        "the block IO weight is discarded: this machine's kernel has no weights for block IO"

    private var blockWeight: String? {
        settings.resources.blockWeight == 0 || host.hasBlockWeight ? nil : Self.noBlockWeight
    }

    private var logBuffer: String? {
        guard settings.log.options["max-buffer-size"] != nil else { return nil }
        return
            "max-buffer-size has no effect: what waits for the log is in the container's pipe, not in memory"
    }

    private var logCompression: String? {
        guard ["true", "1"].contains(settings.log.options["compress"]) else { return nil }
        return "compress has no effect: what is kept of the log is not compressed"
    }

    private var security: [String] {
        guard let choice = try? SecurityChoice(settings: settings, host: host) else { return [] }
        return choice.warnings
    }

    /// Raising a hard limit needs CAP_SYS_RESOURCE, and open files have a limit that nobody passes; the runtime then sets
    /// what is possible.
    private var limits: [String] {
        guard let limits = try? settings.resourceLimits() else { return [] }
        return limits.compactMap { limit in
            let name = limit.kind.rawValue.dropFirst("RLIMIT_".count).lowercased()
            let own = mayRaiseLimits ? .max : host.hardLimits[limit.kind] ?? .max
            let machine = limit.kind == .openFiles ? host.mostOpenFiles : .max
            guard limit.hard > min(own, machine) else { return nil }
            return own <= machine
                ? "the ulimit \(name) is limited to \(own): this machine's root lacks CAP_SYS_RESOURCE"
                : "the ulimit \(name) is limited to \(machine): no process of this machine has more"
        }
    }
}
