// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// The rules that settings must keep, whatever the image.
extension ContainerSettings {
    /// - Throws: `.invalidField`, `.invalidSignal`.
    func check(on host: Host) throws(EngineError) {
        if autoRemove, restart.mode != .no {
            let text = "a container that is removed at its end cannot have a restart policy"
            throw .invalidField("restart policy", text, advice: "leave out --rm or --restart")
        }
        try checkLimits(on: host)
        if !stopSignal.isEmpty { _ = try ContainerSignal(stopSignal) }
        for variable in environment where Environment.name(of: variable).isEmpty {
            throw .invalidField("environment", "the variable \"\(variable)\" has no name")
        }
        _ = try CapabilityChoice(settings: self, available: host.capabilities)
        try checkMounts()
        try checkDevices()
        try checkProcess()
        try checkNamespaces()
        try checkNames()
        _ = try SecurityChoice(settings: self, host: host)
        _ = try LogPlan(log)
        if let health { _ = try HealthPlan(health, over: nil) }
        _ = try ImagePlatform(platform)
    }

    /// An absolute path without `.`, `..`, doubled and trailing slashes.
    static func clean(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// Which capabilities a container gets: Docker's, without those dropped, with those added; `ALL` is every one.
struct CapabilityChoice {
    let granted: Set<Capability>

    /// - Throws: `.invalidField` for a name that is none.
    init(settings: ContainerSettings, available: Set<Capability>) throws(EngineError) {
        let added = try CapabilityChoice.read(settings.capabilitiesAdded)
        let dropped = try CapabilityChoice.read(settings.capabilitiesDropped)
        guard !settings.isPrivileged else {
            granted = available
            return
        }
        // As Docker has it: adding ALL keeps all but those dropped by name; dropping ALL keeps those added by name.
        if added.isAll {
            granted = Set(Capability.allCases).subtracting(dropped.named).intersection(available)
        } else if dropped.isAll {
            granted = added.named.intersection(available)
        } else {
            granted = DockerDefaults.capabilities.subtracting(dropped.named).union(added.named).intersection(
                available
            )
        }
    }

    private static func read(_ names: [String]) throws(EngineError) -> (isAll: Bool, named: Set<Capability>) {
        var named: Set<Capability> = []
        var isAll = false
        for name in names {
            if ["ALL", "CAP_ALL"].contains(name.uppercased()) {
                isAll = true
            } else if let capability = Capability(userSpelling: name) {
                named.insert(capability)
            } else {
                throw .invalidField(
                    "capability",
                    "unknown capability \"\(name)\"",
                    advice: "see capabilities(7)"
                )
            }
        }
        return (isAll, named)
    }
}
