// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec

/// A container's limits in the terms of the OCI runtime specification.
struct ResourcesBuilder {
    static let cpuPeriodMicros: UInt64 = 100_000

    let settings: ContainerSettings
    let host: Host
    /// "v1", "hybrid" or "v2".
    let cgroupLayout: String

    private var limits: ContainerSettings.Limits { settings.limits }
    private var wanted: ContainerSettings.Resources { settings.resources }

    /// - Parameter defaults: With Docker's device rules.
    func resources(over defaults: Resources) throws(EngineError) -> Resources {
        var resources = defaults
        resources.memory = memory
        resources.cpu = cpu
        resources.pidsLimit = limits.processes > 0 ? limits.processes : nil
        resources.blockIO = try blockIO()
        guard !settings.isPrivileged else { return resources }
        for mapping in settings.devices.mappings {
            for device in try host.devices(for: mapping) {
                let kind: DeviceRule.Kind = device.kind == .block ? .block : .character
                resources.devices.append(
                    DeviceRule(allow: true, kind, device.major, device.minor, access: mapping.permissions)
                )
            }
        }
        resources.devices += try settings.deviceRules()
        return resources
    }

    /// What `inspect` shows as the limit of memory and swap: as Docker, twice the memory where nothing else is asked for.
    static func memorySwap(_ settings: ContainerSettings) -> Int64 {
        let swap = settings.resources.memorySwapBytes
        return swap != 0 ? swap : Int64(clamping: settings.limits.memoryBytes) * 2
    }

    private var memory: Resources.Memory? {
        let swap = ResourcesBuilder.memorySwap(settings)
        let disablesKiller = wanted.disablesOOMKiller && cgroupLayout != "v2"
        let memory = Resources.Memory(
            limit: limits.memoryBytes > 0 ? Int64(clamping: limits.memoryBytes) : nil,
            reservation: wanted.memoryReservationBytes > 0
                ? Int64(clamping: wanted.memoryReservationBytes) : nil,
            swap: swap != 0 ? swap : nil,
            swappiness: wanted.memorySwappiness.map(UInt64.init),
            disableOOMKiller: disablesKiller
        )
        return memory == Resources.Memory() ? nil : memory
    }

    private var cpu: Resources.CPU? {
        var cpu = Resources.CPU(
            shares: wanted.cpuShares > 0 ? UInt64(wanted.cpuShares) : nil,
            quotaMicros: wanted.cpuQuotaMicros != 0 ? wanted.cpuQuotaMicros : nil,
            periodMicros: wanted.cpuPeriodMicros > 0 ? UInt64(wanted.cpuPeriodMicros) : nil,
            cpus: wanted.cpusetCPUs,
            mems: wanted.cpusetMemories
        )
        if limits.nanoCPUs > 0 {
            let quota = limits.nanoCPUs * ResourcesBuilder.cpuPeriodMicros / 1_000_000_000
            cpu.quotaMicros = Int64(quota)
            cpu.periodMicros = ResourcesBuilder.cpuPeriodMicros
        }
        return cpu == Resources.CPU() ? nil : cpu
    }

    private func blockIO() throws(EngineError) -> Resources.BlockIO? {
        var block = Resources.BlockIO(
            weight: wanted.blockWeight > 0 && host.hasBlockWeight ? UInt16(clamping: wanted.blockWeight) : nil
        )
        for rate in wanted.readBytes { block.readBytes.append(try host.throttle(rate)) }
        for rate in wanted.writeBytes { block.writeBytes.append(try host.throttle(rate)) }
        for rate in wanted.readOperations { block.readOperations.append(try host.throttle(rate)) }
        for rate in wanted.writeOperations { block.writeOperations.append(try host.throttle(rate)) }
        return block == Resources.BlockIO() ? nil : block
    }
}
