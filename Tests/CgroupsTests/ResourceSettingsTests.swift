// SPDX-License-Identifier: Apache-2.0
import Cgroups
import RuntimeSpec
import Testing

struct ResourceSettingsTests {
    private let resources = Resources(
        memory: .init(limit: 1000, reservation: 500, swap: 3000, swappiness: 10),
        cpu: .init(shares: 1024, quotaMicros: 50_000, periodMicros: 100_000, cpus: "0-1"),
        pidsLimit: 20
    )

    private func lines(_ settings: [ResourceSetting]) -> [String] {
        settings.map { "\($0.file)=\($0.value)" }
    }

    @Test func legacyFiles() {
        #expect(
            lines(resources.legacySettings) == [
                "memory.limit_in_bytes=1000", "memory.memsw.limit_in_bytes=3000",
                "memory.soft_limit_in_bytes=500",
                "memory.swappiness=10", "cpu.shares=1024", "cpu.cfs_period_us=100000",
                "cpu.cfs_quota_us=50000",
                "cpuset.cpus=0-1", "pids.max=20",
            ]
        )
    }

    @Test func unifiedFiles() {
        #expect(
            lines(resources.unifiedSettings) == [
                "memory.swap.max=2000", "memory.max=1000", "memory.low=500", "cpu.weight=39",
                "cpu.max=50000 100000",
                "cpuset.cpus=0-1", "pids.max=20",
            ]
        )
        let unlimited = Resources(
            memory: .init(limit: -1, swap: -1),
            cpu: .init(quotaMicros: -1),
            pidsLimit: -1
        )
        #expect(
            lines(unlimited.unifiedSettings)
                == ["memory.swap.max=max", "memory.max=max", "cpu.max=max 100000", "pids.max=max"]
        )
        var block = Resources.BlockIO(weight: 1000)
        block.readBytes = [.init(major: 8, minor: 0, rate: 4096)]
        block.writeOperations = [.init(major: 8, minor: 16, rate: 9)]
        let limited = Resources(blockIO: block)
        #expect(
            lines(limited.unifiedSettings) == [
                "io.bfq.weight=1000", "io.weight=10000", "io.max=8:0 rbps=4096", "io.max=8:16 wiops=9",
            ]
        )
        #expect(
            lines(limited.legacySettings) == [
                "blkio.bfq.weight=1000", "blkio.throttle.read_bps_device=8:0 4096",
                "blkio.throttle.write_iops_device=8:16 9",
            ]
        )
        #expect(lines(Resources(unified: ["b": "2", "a": "1"]).unifiedSettings) == ["a=1", "b=2"])
    }

    @Test(arguments: [
        (DeviceRule(allow: false), ["devices.deny=a"]),
        (DeviceRule(allow: true, .character, 1, 3), ["devices.allow=c 1:3 rwm"]),
        (DeviceRule(allow: true, .block, access: "m"), ["devices.allow=b *:* m"]),
        (DeviceRule(allow: true, .character, 136), ["devices.allow=c 136:* rwm"]),
        // To the kernel "a" is everything, so a part of all kinds is a rule for each.
        (DeviceRule(allow: false, access: "w"), ["devices.deny=c *:* w", "devices.deny=b *:* w"]),
    ])
    func deviceRules(rule: DeviceRule, expected: [String]) {
        #expect(lines(rule.legacySettings) == expected)
    }

    @Test func nothingAskedForIsNothingWritten() {
        #expect(Resources().legacySettings.isEmpty && Resources().unifiedSettings.isEmpty)
        let zero = Resources(
            memory: .init(limit: 0, swap: 0),
            cpu: .init(shares: 0, quotaMicros: 0),
            pidsLimit: 0
        )
        #expect(zero.legacySettings.isEmpty && zero.unifiedSettings.isEmpty)
    }
}
