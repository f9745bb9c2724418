// SPDX-License-Identifier: Apache-2.0
import Cgroups
import RuntimeSpec
import Testing

struct UsageTests {
    @Test func transfersOfAllDevicesAreAdded() {
        let legacy = Cgroup.legacyTransfers(
            "8:0 Read 4096\n8:0 Write 100\n8:0 Sync 1\n8:16 Read 4\n8:16 Write 1\nTotal 4201"
        )
        #expect(legacy == (4100, 101))
        let unified = Cgroup.unifiedTransfers(
            "8:0 rbytes=4096 wbytes=100 rios=1\n8:16 rbytes=4 wbytes=1 rios=9"
        )
        #expect(unified == (4100, 101))
    }

    @Test func tablesAreRead() {
        #expect(Cgroup.table("user 12\nsystem 3\nbroken\nmore than two") == ["user": 12, "system": 3])
        #expect(Cgroup.table(nil) == [:])
    }

    @Test func undoingGivesBackWhatWasNotLimited() {
        let old = Resources(memory: .init(limit: 100), pidsLimit: 7)
        let new = Resources(memory: .init(limit: 200, swap: 300), cpu: .init(shares: 5, quotaMicros: 6))
        let undone = old.undoing(new)
        #expect(undone.memory == .init(limit: 100, swap: -1))
        #expect(undone.cpu == .init(shares: 1024, quotaMicros: -1))
        #expect(undone.pidsLimit == 7)
        // The kernel's weight is 100 under either version, which is no weight of the specification's under the second.
        let weighed = Resources(blockIO: .init(weight: 300))
        let legacy = Resources().undoing(weighed).legacySettings.map { "\($0.file)=\($0.value)" }
        #expect(legacy == ["blkio.bfq.weight=100"])
        let unified = Resources().undoing(weighed).unifiedSettings.map { "\($0.file)=\($0.value)" }
        #expect(unified == ["io.bfq.weight=100", "io.weight=100"])
        #expect(Resources(blockIO: .init(weight: 200)).undoing(weighed).blockIO == .init(weight: 200))
    }
}
