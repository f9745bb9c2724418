// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

/// Options of `run` and `create`: how much of the machine the container may use.
struct ResourceOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Most memory and swap together; -1: no limit.")
    var memorySwap: String?
    @Option(parsing: .unconditional, help: "Memory that it keeps when there is little, such as 256m.")
    var memoryReservation: String?
    @Option(parsing: .unconditional, help: "How readily its memory is swapped out: 0 to 100.")
    var memorySwappiness: Int64?
    @Flag(help: "Never kill it when its memory is used up.") var oomKillDisable = false
    @Option(parsing: .unconditional, help: "Kill it sooner (up to 1000) or later (down to -1000).")
    var oomScoreAdj: Int32?
    @Option(
        name: [.customShort("c", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Share of the processors when they are busy: 2 to 262144 (default 1024)."
    ) var cpuShares: Int64?
    @Option(parsing: .unconditional, help: "Length of a period, in microseconds.") var cpuPeriod: Int64?
    @Option(parsing: .unconditional, help: "Processor time in each period, in microseconds.")
    var cpuQuota: Int64?
    @Option(parsing: .unconditional, help: "Processors to run on: 0-2,5.") var cpusetCpus = ""
    @Option(parsing: .unconditional, help: "Memory nodes to use: 0,1.") var cpusetMems = ""
    @Option(parsing: .unconditional, help: "Share of block IO: 10 to 1000.") var blkioWeight: UInt32?
    @Option(parsing: .unconditionalSingleValue, help: "Most bytes read in a second: /dev/disk:10m.")
    var deviceReadBps: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Most bytes written in a second: /dev/disk:10m.")
    var deviceWriteBps: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Most reads in a second: /dev/disk:100.")
    var deviceReadIops: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Most writes in a second: /dev/disk:100.")
    var deviceWriteIops: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Limit of a process: nofile=1024:2048.")
    var ulimit: [String] = []
    @Option(parsing: .unconditional, help: "Size of /dev/shm (default 64m).") var shmSize: String?

    func add(to config: inout EngineV1.ContainerConfig) throws(Failure) {
        var resources = EngineV1.Resources(
            oomKillDisable: oomKillDisable,
            cpuShares: cpuShares ?? 0,
            cpuPeriodMicros: cpuPeriod ?? 0,
            cpuQuotaMicros: cpuQuota ?? 0,
            cpusetCpus: cpusetCpus,
            cpusetMems: cpusetMems,
            blkioWeight: blkioWeight ?? 0
        )
        if let memorySwap {
            resources.memorySwapBytes = try LimitText.bytes(memorySwap, option: "--memory-swap")
        }
        if let memoryReservation {
            resources.memoryReservationBytes = try Self.size(memoryReservation, "--memory-reservation")
        }
        // -1 is the kernel's own, as with Docker.
        if let memorySwappiness, memorySwappiness != -1 {
            guard 0...100 ~= memorySwappiness else {
                throw Failure(
                    "--memory-swappiness '\(memorySwappiness)'",
                    "is not from 0 to 100",
                    exitCode: 125
                )
            }
            resources.memorySwappiness = UInt32(memorySwappiness)
        }
        resources.deviceReadBps = try Self.rates(deviceReadBps, "--device-read-bps", isBytes: true)
        resources.deviceWriteBps = try Self.rates(deviceWriteBps, "--device-write-bps", isBytes: true)
        resources.deviceReadIops = try Self.rates(deviceReadIops, "--device-read-iops", isBytes: false)
        resources.deviceWriteIops = try Self.rates(deviceWriteIops, "--device-write-iops", isBytes: false)
        config.resources = resources
        config.oomScoreAdj = oomScoreAdj ?? 0
        if let shmSize { config.shmSizeBytes = try Self.size(shmSize, "--shm-size") }
        config.ulimits = try ulimit.map { text throws(Failure) in
            let option = try UlimitOption(text)
            return EngineV1.Ulimit(name: option.name, soft: option.soft, hard: option.hard)
        }
    }

    private static func size(_ text: String, _ option: String) throws(Failure) -> UInt64 {
        guard let bytes = HumanSize.bytes(text) else {
            throw Failure("\(option) '\(text)'", "is no size", advice: "write 512m or 2g", exitCode: 125)
        }
        return bytes
    }

    private static func rates(_ texts: [String], _ option: String, isBytes: Bool) throws(Failure)
        -> [EngineV1.DeviceRate]
    {
        try texts.map { text throws(Failure) in
            let rate = try DeviceRateOption(text, option: option, isBytes: isBytes)
            return EngineV1.DeviceRate(path: rate.path, rate: rate.rate)
        }
    }
}
