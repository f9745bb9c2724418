// SPDX-License-Identifier: Apache-2.0
import Messages
import Rendering

/// Options of `run` and `create`: how much of the machine the container may use.
extension FurtherOptions {
    func addResources(to config: inout EngineV1.ContainerConfig) throws(Failure) {
        var resources = EngineV1.Resources(
            oomKillDisable: oomKillDisable,
            cpuShares: cpuShares ?? 0,
            cpuPeriodMicros: cpuPeriod ?? 0,
            cpuQuotaMicros: cpuQuota ?? 0,
            cpusetCpus: cpusetCpus,
            cpusetMems: cpusetMems,
            blkioWeight: try Self.number(blkioWeight, "--blkio-weight", 0...Int64(UInt32.max))
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
        config.oomScoreAdj = try Self.number(
            oomScoreAdj,
            "--oom-score-adj",
            Int64(Int32.min)...Int64(Int32.max)
        )
        if let shmSize { config.shmSizeBytes = try Self.size(shmSize, "--shm-size") }
        config.ulimits = try ulimit.map { text throws(Failure) in
            let option = try UlimitOption(text)
            return EngineV1.Ulimit(name: option.name, soft: option.soft, hard: option.hard)
        }
    }

    /// 0 where there is none.
    private static func number<N: FixedWidthInteger>(
        _ number: Int64?,
        _ option: String,
        _ range: ClosedRange<Int64>
    ) throws(Failure) -> N {
        let number = number ?? 0
        guard range.contains(number) else {
            throw Failure(
                "\(option) '\(number)'",
                "is not from \(range.lowerBound) to \(range.upperBound)",
                exitCode: 125
            )
        }
        return N(clamping: number)
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
