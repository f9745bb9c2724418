// SPDX-License-Identifier: Apache-2.0
package import RuntimeSpec

/// One kernel file to write for a limit.
package struct ResourceSetting: Hashable, Sendable {
    package let controller: String
    package let file: String
    package let value: String
    /// Whether a kernel without this file is good enough: the setting is a wish, or a version 1 relic.
    package let isOptional: Bool

    package init(_ controller: String, _ file: String, _ value: String, isOptional: Bool = false) {
        self.controller = controller
        self.file = file
        self.value = value
        self.isOptional = isOptional
    }
}

extension Resources {
    /// What to write into version 1 files, in order.
    package var legacySettings: [ResourceSetting] {
        legacyMemory + legacyCPU + pids("pids.max") + legacyBlockIO + hugepages(".limit_in_bytes")
            + deviceRules.flatMap(\.legacySettings)
    }

    private var deviceRules: [DeviceRule] {
        guard !devices.isEmpty else { return [] }
        return devices + DeviceRule.ofEveryContainer.filter { !devices.contains($0) }
    }

    private var legacyMemory: [ResourceSetting] {
        guard let memory else { return [] }
        var settings: [ResourceSetting] = []
        func add(_ file: String, _ value: Int64?, optional: Bool = false) {
            guard let value, value != 0 else { return }
            settings.append(ResourceSetting("memory", file, String(value), isOptional: optional))
        }
        add("memory.limit_in_bytes", memory.limit)
        // Absent where the kernel does not account swap.
        add("memory.memsw.limit_in_bytes", memory.swap, optional: true)
        add("memory.soft_limit_in_bytes", memory.reservation)
        if let swappiness = memory.swappiness {
            settings.append(ResourceSetting("memory", "memory.swappiness", String(swappiness)))
        }
        if memory.disableOOMKiller { settings.append(ResourceSetting("memory", "memory.oom_control", "1")) }
        return settings
    }

    private var legacyCPU: [ResourceSetting] {
        guard let cpu else { return [] }
        var settings: [ResourceSetting] = []
        func add(_ file: String, _ value: (some CustomStringConvertible)?, in controller: String = "cpu") {
            if let value { settings.append(ResourceSetting(controller, file, value.description)) }
        }
        if let shares = cpu.shares, shares != 0 { add("cpu.shares", shares) }
        if let period = cpu.periodMicros, period != 0 { add("cpu.cfs_period_us", period) }
        if let quota = cpu.quotaMicros, quota != 0 { add("cpu.cfs_quota_us", quota) }
        add("cpu.cfs_burst_us", cpu.burstMicros)
        if let period = cpu.realtimePeriodMicros, period != 0 { add("cpu.rt_period_us", period) }
        if let runtime = cpu.realtimeRuntimeMicros, runtime != 0 { add("cpu.rt_runtime_us", runtime) }
        add("cpu.idle", cpu.idle)
        if !cpu.cpus.isEmpty { add("cpuset.cpus", cpu.cpus, in: "cpuset") }
        if !cpu.mems.isEmpty { add("cpuset.mems", cpu.mems, in: "cpuset") }
        return settings
    }

    private func pids(_ file: String) -> [ResourceSetting] {
        guard let pidsLimit, pidsLimit != 0 else { return [] }
        return [ResourceSetting("pids", file, pidsLimit > 0 ? String(pidsLimit) : "max")]
    }

    private func hugepages(_ suffix: String) -> [ResourceSetting] {
        hugepageLimits.sorted { $0.key < $1.key }.map { size, limit in
            ResourceSetting("hugetlb", "hugetlb." + size + suffix, String(limit))
        }
    }

    private var legacyBlockIO: [ResourceSetting] {
        guard let blockIO else { return [] }
        var settings: [ResourceSetting] = []
        if let weight = blockIO.weight, weight != 0 {
            // Schedulers differ in what they offer; a weight is a wish.
            settings.append(ResourceSetting("blkio", "blkio.bfq.weight", String(weight), isOptional: true))
        } else if blockIO.hasDefaultWeight {
            settings.append(ResourceSetting("blkio", "blkio.bfq.weight", "100", isOptional: true))
        }
        for (file, throttles) in [
            ("read_bps", blockIO.readBytes), ("write_bps", blockIO.writeBytes),
            ("read_iops", blockIO.readOperations), ("write_iops", blockIO.writeOperations),
        ] {
            for throttle in throttles {
                let value = "\(throttle.major):\(throttle.minor) \(throttle.rate)"
                settings.append(ResourceSetting("blkio", "blkio.throttle.\(file)_device", value))
            }
        }
        return settings
    }

    /// What to write into version 2 files, in order. Devices have no files there.
    package var unifiedSettings: [ResourceSetting] {
        unifiedMemory + unifiedCPU + pids("pids.max") + unifiedBlockIO + hugepages(".max")
            + unified.sorted { $0.key < $1.key }.map { ResourceSetting("", $0.key, $0.value) }
    }

    private var unifiedMemory: [ResourceSetting] {
        guard let memory else { return [] }
        var settings: [ResourceSetting] = []
        func text(_ bytes: Int64) -> String { bytes < 0 ? "max" : String(bytes) }
        // Version 2 counts swap by itself, the specification counts it with memory.
        if let swap = memory.swap, swap != 0 {
            let alone = swap < 0 ? -1 : swap - max(memory.limit ?? 0, 0)
            settings.append(ResourceSetting("memory", "memory.swap.max", text(alone), isOptional: true))
        }
        if let limit = memory.limit, limit != 0 {
            settings.append(ResourceSetting("memory", "memory.max", text(limit)))
        }
        if let reservation = memory.reservation, reservation != 0 {
            settings.append(ResourceSetting("memory", "memory.low", text(reservation)))
        }
        return settings
    }

    private var unifiedCPU: [ResourceSetting] {
        guard let cpu else { return [] }
        var settings: [ResourceSetting] = []
        if let shares = cpu.shares, shares != 0 {
            // 2…262144 to 1…10000, as every runtime converts.
            let weight = 1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142
            settings.append(ResourceSetting("cpu", "cpu.weight", String(weight)))
        }
        if cpu.quotaMicros ?? 0 != 0 || cpu.periodMicros ?? 0 != 0 {
            let quota = cpu.quotaMicros.flatMap { $0 > 0 ? String($0) : nil } ?? "max"
            settings.append(ResourceSetting("cpu", "cpu.max", "\(quota) \(cpu.periodMicros ?? 100_000)"))
        }
        if let burst = cpu.burstMicros {
            settings.append(ResourceSetting("cpu", "cpu.max.burst", String(burst)))
        }
        if let idle = cpu.idle { settings.append(ResourceSetting("cpu", "cpu.idle", String(idle))) }
        if !cpu.cpus.isEmpty { settings.append(ResourceSetting("cpuset", "cpuset.cpus", cpu.cpus)) }
        if !cpu.mems.isEmpty { settings.append(ResourceSetting("cpuset", "cpuset.mems", cpu.mems)) }
        return settings
    }

    private var unifiedBlockIO: [ResourceSetting] {
        guard let blockIO else { return [] }
        var settings: [ResourceSetting] = []
        if let weight = blockIO.weight, weight != 0 {
            settings.append(ResourceSetting("io", "io.bfq.weight", String(weight), isOptional: true))
            // 10…1000 to 1…10000, as every runtime converts.
            let other = 1 + (Int(max(weight, 10)) - 10) * 9999 / 990
            settings.append(ResourceSetting("io", "io.weight", String(other), isOptional: true))
        } else if blockIO.hasDefaultWeight {
            for file in ["io.bfq.weight", "io.weight"] {
                settings.append(ResourceSetting("io", file, "100", isOptional: true))
            }
        }
        for (key, throttles) in [
            ("rbps", blockIO.readBytes), ("wbps", blockIO.writeBytes),
            ("riops", blockIO.readOperations), ("wiops", blockIO.writeOperations),
        ] {
            for throttle in throttles {
                settings.append(
                    ResourceSetting(
                        "io",
                        "io.max",
                        "\(throttle.major):\(throttle.minor) \(key)=\(throttle.rate)"
                    )
                )
            }
        }
        return settings
    }
}

extension DeviceRule {
    /// A rule for all kinds that is not about everything becomes one for each kind: to the kernel `a` is everything.
    package var legacySettings: [ResourceSetting] {
        let file = isAllowed ? "devices.allow" : "devices.deny"
        if kind == .all, major == nil, minor == nil, Set(access) == Set("rwm") {
            return [ResourceSetting("devices", file, "a")]
        }
        let kinds: [Kind] = kind == .all ? [.character, .block] : [kind]
        return kinds.map {
            let number = "\(major.map(String.init) ?? "*"):\(minor.map(String.init) ?? "*")"
            return ResourceSetting("devices", file, "\($0.rawValue) \(number) \(access)")
        }
    }
}
