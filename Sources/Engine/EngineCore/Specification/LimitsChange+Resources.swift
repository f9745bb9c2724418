// SPDX-License-Identifier: Apache-2.0
internal import JSON

extension LimitsChange {
    private static let smallestMemoryBytes: Int64 = 6 << 20

    /// As members of `linux.resources`; empty when nothing changes, or nothing that this machine can do.
    func resources(on host: Host) -> [UInt8] {
        var memory = JSON.Object()
        memory["limit"] = memoryBytes.map(JSON.integer)
        memory["swap"] = memorySwapBytes.map(JSON.integer)
        memory["reservation"] = memoryReservationBytes.map(JSON.integer)
        var cpu = JSON.Object()
        cpu["shares"] = cpuShares.map(JSON.integer)
        cpu["period"] = cpuPeriodMicros.map(JSON.integer)
        cpu["quota"] = cpuQuotaMicros.map(JSON.integer)
        if let nanoCPUs {
            let period = Int64(ResourcesBuilder.cpuPeriodMicros)
            cpu["period"] = .integer(period)
            cpu["quota"] = .integer(nanoCPUs * period / 1_000_000_000)
        }
        cpu["cpus"] = cpusetCPUs.map(JSON.string)
        cpu["mems"] = cpusetMemories.map(JSON.string)
        var result = JSON.Object()
        if !memory.isEmpty { result["memory"] = .object(memory) }
        if !cpu.isEmpty { result["cpu"] = .object(cpu) }
        if let processes { result["pids"] = ["limit": .integer(processes)] }
        if let blockWeight, host.hasBlockWeight { result["blockIO"] = ["weight": .integer(blockWeight)] }
        return result.isEmpty ? [] : JSON.object(result).serialized()
    }

    /// What of it is known to have no effect here: of version 2 of control groups that is not known before a group is made.
    func warnings(on host: Host) -> [String] {
        blockWeight == nil || host.hasBlockWeight ? [] : [SettingsWarnings.noBlockWeight]
    }

    /// - Parameter settings: Of the container that is to be changed.
    /// - Throws: `.invalidField`.
    func check(over settings: ContainerSettings, on host: Host) throws(EngineError) {
        try checkMemory(over: settings)
        if let nanoCPUs {
            guard cpuPeriodMicros == nil, cpuQuotaMicros == nil else {
                throw .invalidField("cpus", "a number of CPUs and a CPU period or quota cannot both be set")
            }
            guard nanoCPUs >= 10_000_000, nanoCPUs <= Int64(host.cpus) * 1_000_000_000 else {
                throw .invalidField(
                    "cpus",
                    "the number of CPUs must be from 0.01 to \(host.cpus), as there are only \(host.cpus)"
                )
            }
        }
        if let cpuShares, !(2...262_144).contains(cpuShares) {
            throw .invalidField("cpu shares", "the CPU shares \(cpuShares) are not from 2 to 262144")
        }
        if let period = cpuPeriodMicros, !(1_000...1_000_000).contains(period) {
            throw .invalidField(
                "cpu period",
                "the CPU period \(period) is not from 1000 to 1000000 microseconds"
            )
        }
        if let quota = cpuQuotaMicros, quota != -1, !(1_000...1_000_000_000_000).contains(quota) {
            throw .invalidField("cpu quota", "the CPU quota \(quota) is less than 1000 microseconds")
        }
        if let processes, processes < -1 || processes == 0 {
            throw .invalidField("pids limit", "the limit of processes must be -1 or more, not \(processes)")
        }
        if let blockWeight { try ContainerSettings.check(blockWeight: blockWeight) }
        for text in [cpusetCPUs, cpusetMemories].compactMap({ $0 }) {
            guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x2c || $0 == 0x2d }) else {
                throw .invalidField("cpuset", "invalid list of numbers: \"\(text)\"", advice: "write 0-2,5")
            }
        }
    }

    private func checkMemory(over settings: ContainerSettings) throws(EngineError) {
        let old = settings.updated ?? LimitsChange()
        let oldMemory = old.memoryBytes ?? Int64(clamping: settings.limits.memoryBytes)
        let memory = memoryBytes ?? oldMemory
        if let memoryBytes, memoryBytes < Self.smallestMemoryBytes || memoryBytes > .max / 2 {
            throw .invalidField(
                "memory",
                "the memory limit \(memoryBytes) is less than the minimum of 6 MiB, or too large"
            )
        }
        if let swap = memorySwapBytes {
            guard memory > 0 || swap == -1 else {
                let text = "a limit of memory and swap needs a limit of memory"
                throw .invalidField("memory swap", text, advice: "set --memory too")
            }
            guard swap == -1 || swap >= memory && swap <= .max / 2 else {
                let text =
                    "the memory and swap limit \(swap) is less than the memory limit \(memory), which it includes"
                throw .invalidField("memory swap", text)
            }
        } else if let memoryBytes {
            let asked = settings.resources.memorySwapBytes
            let usual = asked != 0 ? asked : oldMemory > 0 ? oldMemory * 2 : -1
            let swap = old.memorySwapBytes ?? usual
            guard swap == -1 || memoryBytes <= swap else {
                let text =
                    "the memory limit \(memoryBytes) is more than the memory and swap limit \(swap) that is set"
                throw .invalidField("memory", text, advice: "set --memory-swap at the same time")
            }
        }
        if let reservation = memoryReservationBytes {
            guard reservation >= Self.smallestMemoryBytes, memory == 0 || reservation <= memory else {
                let text = "the memory reservation \(reservation) is not from 6 MiB to the memory limit"
                throw .invalidField("memory reservation", text)
            }
        }
    }
}
