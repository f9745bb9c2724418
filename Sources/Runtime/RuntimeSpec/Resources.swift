// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// The `linux.resources` object: what a container may use. A nil field is left as the kernel has it.
package struct Resources: Hashable, Sendable {
    package struct Memory: Hashable, Sendable {
        /// Bytes; -1 is unlimited. So are the next two.
        package var limit: Int64?
        package var reservation: Int64?
        /// Memory and swap together.
        package var swap: Int64?
        /// 0 to 100.
        package var swappiness: UInt64?
        package var disableOOMKiller: Bool

        package init(
            limit: Int64? = nil,
            reservation: Int64? = nil,
            swap: Int64? = nil,
            swappiness: UInt64? = nil,
            disableOOMKiller: Bool = false
        ) {
            self.limit = limit
            self.reservation = reservation
            self.swap = swap
            self.swappiness = swappiness
            self.disableOOMKiller = disableOOMKiller
        }
    }

    package struct CPU: Hashable, Sendable {
        package var shares: UInt64?
        /// Of each period; -1 is unlimited.
        package var quotaMicros: Int64?
        package var periodMicros: UInt64?
        package var burstMicros: UInt64?
        package var realtimeRuntimeMicros: Int64?
        package var realtimePeriodMicros: UInt64?
        /// `0-3,7`.
        package var cpus: String
        package var mems: String
        package var idle: Int64?

        package init(
            shares: UInt64? = nil,
            quotaMicros: Int64? = nil,
            periodMicros: UInt64? = nil,
            cpus: String = "",
            mems: String = ""
        ) {
            self.shares = shares
            self.quotaMicros = quotaMicros
            self.periodMicros = periodMicros
            self.cpus = cpus
            self.mems = mems
        }
    }

    package struct BlockIO: Hashable, Sendable {
        package struct Throttle: Hashable, Sendable {
            package var major: UInt32
            package var minor: UInt32
            /// Bytes or operations in a second.
            package var rate: UInt64

            package init(major: UInt32, minor: UInt32, rate: UInt64) {
                self.major = major
                self.minor = minor
                self.rate = rate
            }
        }

        /// 10 to 1000.
        package var weight: UInt16?
        /// In place of a weight the kernel's own one, which under version 2 no number of the specification is.
        package var hasDefaultWeight = false
        package var readBytes: [Throttle] = []
        package var writeBytes: [Throttle] = []
        package var readOperations: [Throttle] = []
        package var writeOperations: [Throttle] = []

        package init(weight: UInt16? = nil) { self.weight = weight }
    }

    package var memory: Memory?
    package var cpu: CPU?
    /// Most processes and threads; 0 or less is unlimited.
    package var pidsLimit: Int64?
    package var blockIO: BlockIO?
    /// Page size (`2MB`) → bytes.
    package var hugepageLimits: [String: UInt64]
    package var devices: [DeviceRule]
    /// cgroup v2 files and what to write to them.
    package var unified: [String: String]

    package init(
        memory: Memory? = nil,
        cpu: CPU? = nil,
        pidsLimit: Int64? = nil,
        blockIO: BlockIO? = nil,
        devices: [DeviceRule] = [],
        unified: [String: String] = [:]
    ) {
        self.memory = memory
        self.cpu = cpu
        self.pidsLimit = pidsLimit
        self.blockIO = blockIO
        self.hugepageLimits = [:]
        self.devices = devices
        self.unified = unified
    }

    init(node: SpecNode) throws(SpecError) {
        memory = try node["memory"].object(Memory.init(node:))
        cpu = try node["cpu"].object(CPU.init(node:))
        pidsLimit = try node["pids"].object { node throws(SpecError) in try node["limit"].requiredNumber() }
        blockIO = try node["blockIO"].object(BlockIO.init(node:))
        hugepageLimits = [:]
        let pairs = try node["hugepageLimits"].list { node throws(SpecError) in
            (try node["pageSize"].requiredString(), try node["limit"].requiredNumber(UInt64.self))
        }
        for (size, limit) in pairs { hugepageLimits[size] = limit }
        devices = try node["devices"].list(DeviceRule.init(node:))
        unified = try node["unified"].texts()
        for key in unified.keys where key.contains("/") || key.hasPrefix(".") {
            throw node["unified"].error("\"\(key)\" is no file name")
        }
    }

    var object: JSON.Object {
        var object = JSON.Object()
        object.add("memory", memory?.object)
        object.add("cpu", cpu?.object)
        if let pidsLimit { object["pids"] = ["limit": .integer(pidsLimit)] }
        object.add("blockIO", blockIO?.object)
        object.add(
            "hugepageLimits",
            hugepageLimits.sorted { $0.key < $1.key }.map { size, limit in
                var entry: JSON.Object = ["pageSize": .string(size)]
                entry.add("limit", limit)
                return .object(entry)
            }
        )
        object.add("devices", devices.map { .object($0.object) })
        object.add("unified", unified)
        return object
    }
}

extension Resources.Memory {
    init(node: SpecNode) throws(SpecError) {
        limit = try Self.bytes(node["limit"])
        reservation = try Self.bytes(node["reservation"])
        swap = try Self.bytes(node["swap"])
        swappiness = try node["swappiness"].number()
        if let swappiness, swappiness > 100 { throw node["swappiness"].error("must be from 0 to 100") }
        disableOOMKiller = try node["disableOOMKiller"].bool() ?? false
        if let limit, let swap, limit > 0, swap > 0, swap < limit {
            throw node["swap"].error("must not be below the memory limit, which it includes")
        }
    }

    private static func bytes(_ node: SpecNode) throws(SpecError) -> Int64? {
        let value = try node.number(Int64.self)
        if let value, value < -1 { throw node.error("must be -1 (unlimited) or a number of bytes") }
        return value
    }

    var object: JSON.Object {
        var object = JSON.Object()
        object.add("limit", limit)
        object.add("reservation", reservation)
        object.add("swap", swap)
        object.add("swappiness", swappiness)
        object.add("disableOOMKiller", disableOOMKiller)
        return object
    }
}

extension Resources.CPU {
    init(node: SpecNode) throws(SpecError) {
        shares = try node["shares"].number()
        quotaMicros = try node["quota"].number()
        periodMicros = try node["period"].number()
        burstMicros = try node["burst"].number()
        realtimeRuntimeMicros = try node["realtimeRuntime"].number()
        realtimePeriodMicros = try node["realtimePeriod"].number()
        cpus = try Self.list(node["cpus"])
        mems = try Self.list(node["mems"])
        idle = try node["idle"].number()
    }

    private static func list(_ node: SpecNode) throws(SpecError) -> String {
        let text = try node.string() ?? ""
        guard text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == "," || $0 == "-") }) else {
            throw node.error("must be a list such as 0-3,7")
        }
        return text
    }

    var object: JSON.Object {
        var object = JSON.Object()
        object.add("shares", shares)
        object.add("quota", quotaMicros)
        object.add("period", periodMicros)
        object.add("burst", burstMicros)
        object.add("realtimeRuntime", realtimeRuntimeMicros)
        object.add("realtimePeriod", realtimePeriodMicros)
        object.add("cpus", cpus)
        object.add("mems", mems)
        object.add("idle", idle)
        return object
    }
}

extension Resources.BlockIO {
    init(node: SpecNode) throws(SpecError) {
        weight = try node["weight"].number()
        readBytes = try node["throttleReadBpsDevice"].list(Throttle.init(node:))
        writeBytes = try node["throttleWriteBpsDevice"].list(Throttle.init(node:))
        readOperations = try node["throttleReadIOPSDevice"].list(Throttle.init(node:))
        writeOperations = try node["throttleWriteIOPSDevice"].list(Throttle.init(node:))
    }

    var object: JSON.Object {
        var object = JSON.Object()
        object.add("weight", weight)
        object.add("throttleReadBpsDevice", readBytes.map { .object($0.object) })
        object.add("throttleWriteBpsDevice", writeBytes.map { .object($0.object) })
        object.add("throttleReadIOPSDevice", readOperations.map { .object($0.object) })
        object.add("throttleWriteIOPSDevice", writeOperations.map { .object($0.object) })
        return object
    }
}

extension Resources.BlockIO.Throttle {
    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        major = try node["major"].requiredNumber()
        minor = try node["minor"].requiredNumber()
        rate = try node["rate"].requiredNumber()
    }

    var object: JSON.Object {
        var object: JSON.Object = ["major": .integer(Int64(major)), "minor": .integer(Int64(minor))]
        object.add("rate", rate)
        return object
    }
}
