// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec

/// The rules of limits, as Docker has them.
extension ContainerSettings {
    private static let smallestMemoryBytes: UInt64 = 6 << 20
    private static let largestBytes = UInt64(Int64.max / 2)

    func checkLimits(on host: Host) throws(EngineError) {
        try checkMemory()
        try checkProcessors(on: host)
        try checkBlockIO()
        guard limits.processes >= -1 else {
            throw .invalidField(
                "pids limit",
                "the limit of processes must be -1 or more, not \(limits.processes)"
            )
        }
    }

    private func checkMemory() throws(EngineError) {
        let (memory, swap) = (limits.memoryBytes, resources.memorySwapBytes)
        let reservation = resources.memoryReservationBytes
        if memory > 0, memory < ContainerSettings.smallestMemoryBytes {
            throw .invalidField("memory", "the memory limit \(memory) is less than the minimum of 6 MiB")
        }
        if memory > ContainerSettings.largestBytes {
            throw .invalidField("memory", "the memory limit \(memory) is too large")
        }
        if swap != 0 {
            guard swap >= -1, swap < .max / 2 else {
                throw .invalidField("memory swap", "the memory and swap limit \(swap) must be -1 or a size")
            }
            guard memory > 0 || swap == -1 else {
                let text = "a limit of memory and swap needs a limit of memory"
                throw .invalidField("memory swap", text, advice: "set --memory too")
            }
            guard swap == -1 || UInt64(swap) >= memory else {
                let text =
                    "the memory and swap limit \(swap) is less than the memory limit \(memory), which it includes"
                throw .invalidField("memory swap", text)
            }
        }
        if reservation > 0 {
            guard reservation >= ContainerSettings.smallestMemoryBytes else {
                let text = "the memory reservation \(reservation) is less than the minimum of 6 MiB"
                throw .invalidField("memory reservation", text)
            }
            guard reservation <= (memory > 0 ? memory : ContainerSettings.largestBytes) else {
                let text = "the memory reservation \(reservation) is more than the memory limit \(memory)"
                throw .invalidField("memory reservation", text)
            }
        }
        if let swappiness = resources.memorySwappiness, swappiness > 100 {
            throw .invalidField(
                "memory swappiness",
                "the memory swappiness \(swappiness) is not from 0 to 100"
            )
        }
        if storage.sharedMemoryBytes > ContainerSettings.largestBytes {
            throw .invalidField("shm size", "the size of /dev/shm \(storage.sharedMemoryBytes) is too large")
        }
    }

    private func checkProcessors(on host: Host) throws(EngineError) {
        if limits.nanoCPUs > 0 {
            guard limits.nanoCPUs >= 10_000_000, limits.nanoCPUs <= UInt64(host.cpus) * 1_000_000_000 else {
                let text =
                    "the number of CPUs must be from 0.01 to \(host.cpus), as there are only \(host.cpus)"
                throw .invalidField("cpus", text)
            }
            guard resources.cpuPeriodMicros == 0, resources.cpuQuotaMicros == 0 else {
                let text = "a number of CPUs and a CPU period or quota cannot both be set"
                throw .invalidField("cpus", text, advice: "use --cpus, or --cpu-period and --cpu-quota")
            }
        }
        guard resources.cpuShares == 0 || 2...262_144 ~= resources.cpuShares else {
            throw .invalidField(
                "cpu shares",
                "the CPU shares \(resources.cpuShares) are not from 2 to 262144"
            )
        }
        guard resources.cpuPeriodMicros == 0 || 1_000...1_000_000 ~= resources.cpuPeriodMicros else {
            let text = "the CPU period \(resources.cpuPeriodMicros) is not from 1000 to 1000000 microseconds"
            throw .invalidField("cpu period", text)
        }
        guard
            resources.cpuQuotaMicros == 0 || resources.cpuQuotaMicros == -1
                || resources.cpuQuotaMicros >= 1_000,
            resources.cpuQuotaMicros <= 1_000_000_000_000
        else {
            let text =
                "the CPU quota \(resources.cpuQuotaMicros) is less than 1000 microseconds, or too large"
            throw .invalidField("cpu quota", text)
        }
        try ContainerSettings.check("cpuset cpus", "CPUs", resources.cpusetCPUs, available: host.onlineCPUs)
        try ContainerSettings.check(
            "cpuset mems",
            "memory nodes",
            resources.cpusetMemories,
            available: host.onlineMemories
        )
    }

    /// - Parameter available: As the kernel lists it; empty: not known.
    private static func check(_ field: String, _ what: String, _ text: String, available: String)
        throws(EngineError)
    {
        guard !text.isEmpty else { return }
        guard let wanted = NumberList.parse(text), !wanted.isEmpty else {
            throw .invalidField(field, "invalid list of \(what): \"\(text)\"", advice: "write 0-2,5")
        }
        if let known = NumberList.parse(available), !known.isEmpty, !wanted.isSubset(of: known) {
            throw .invalidField(
                field,
                "the \(what) asked for are not available: asked \(text), available \(available)"
            )
        }
    }

    static func check(blockWeight: Int64) throws(EngineError) {
        guard 10...1000 ~= blockWeight else {
            throw .invalidField("blkio weight", "the block IO weight \(blockWeight) is not from 10 to 1000")
        }
    }

    private func checkBlockIO() throws(EngineError) {
        if resources.blockWeight != 0 { try Self.check(blockWeight: Int64(resources.blockWeight)) }
        let rates =
            resources.readBytes + resources.writeBytes + resources.readOperations + resources.writeOperations
        guard rates.count <= 256 else { throw .invalidField("device rate", "more than 256 rates") }
        for rate in rates {
            guard rate.path.hasPrefix("/"), !rate.path.utf8.contains(0) else {
                throw .invalidField("device rate", "the device \"\(rate.path)\" is not an absolute path")
            }
            guard rate.rate <= ContainerSettings.largestBytes else {
                throw .invalidField("device rate", "the rate \(rate.rate) for \(rate.path) is too large")
            }
        }
    }

    // MARK: - The process

    func checkProcess() throws(EngineError) {
        guard (-1000...1000).contains(process.outOfMemoryScore) else {
            let text = "the OOM score adjustment \(process.outOfMemoryScore) is not from -1000 to 1000"
            throw .invalidField("oom score adj", text)
        }
        _ = try resourceLimits()
        for group in process.groups {
            guard !group.isEmpty, group.utf8.count <= 256, !group.utf8.contains(0), !group.contains(":")
            else {
                throw .invalidField("group", "the group \"\(group)\" is neither a name nor a number")
            }
        }
        guard process.groups.count <= 1024 else {
            throw .invalidField("group", "more than 1024 groups are added")
        }
    }

    /// - Throws: `.invalidField` for an unknown name, a name given twice, or a soft limit above the hard one.
    func resourceLimits() throws(EngineError) -> [ProcessSpec.ResourceLimit] {
        var result: [ProcessSpec.ResourceLimit] = []
        for limit in process.limits {
            guard let kind = ProcessSpec.ResourceLimit.Kind(userSpelling: limit.name) else {
                throw .invalidField(
                    "ulimit",
                    "invalid ulimit type: \(limit.name)",
                    advice: "see setrlimit(2)"
                )
            }
            guard limit.soft >= -1, limit.hard >= -1 else {
                throw .invalidField("ulimit", "the ulimit \(limit.name) must be -1 (unlimited) or a number")
            }
            guard limit.hard == -1 || limit.soft != -1 && limit.soft <= limit.hard else {
                let text =
                    "ulimit soft limit must be less than or equal to hard limit: \(limit.soft) > \(limit.hard)"
                throw .invalidField("ulimit", text)
            }
            guard !result.contains(where: { $0.kind == kind }) else {
                throw .invalidField("ulimit", "the ulimit \(limit.name) is given twice")
            }
            func value(_ number: Int64) -> UInt64 { number == -1 ? .max : UInt64(number) }
            result.append(.init(kind: kind, soft: value(limit.soft), hard: value(limit.hard)))
        }
        return result
    }
}

extension ProcessSpec.ResourceLimit.Kind {
    /// `nofile` for `RLIMIT_NOFILE`.
    init?(userSpelling name: String) {
        // Docker has no name for the address space.
        guard name != "as", name == name.lowercased() else { return nil }
        self.init(rawValue: "RLIMIT_" + name.uppercased())
    }
}

/// Lists as the kernel writes sets of CPUs: `0-3,7`.
enum NumberList {
    private static let limit = 8192

    /// Nil for what is no such list, or has a number of 8192 or more.
    static func parse(_ text: String) -> Set<Int>? {
        var result: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let isPlain = ends.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }
            guard isPlain, let first = ends.first.flatMap({ Int($0) }),
                let last = ends.last.flatMap({ Int($0) }),
                first <= last, last < limit
            else { return nil }
            result.formUnion(first...last)
        }
        return result
    }
}
