// SPDX-License-Identifier: Apache-2.0
import Glibc
import Messages
import System
import Testing

/// A disk without room: output waits in the pipe, and nothing of it or of the records is lost.
@Suite(.serialized)
struct FullDiskTests {
    private func fill(_ container: TestContainer, sizeKibibytes: Int, again: Bool = false) throws {
        let flags: UInt = again ? 32 : 0  // MS_REMOUNT
        guard mount("tmpfs", container.directory, "tmpfs", flags, "size=\(sizeKibibytes)k") == 0 else {
            throw SystemError("mount", path: container.directory, code: errno)
        }
    }

    @Test func outputWaitsForRoomAndSaysSoOnce() throws {
        let lines = 3_000_000
        let container = try TestContainer("seq 1 \(lines); exit 3") { try fill($0, sizeKibibytes: 8 << 10) }
        defer { umount2(container.directory, 2) }
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        _ = try supervisor.event(.outputBlocked)
        try supervisor.killAndAdopt()
        usleep(600_000)
        #expect(try container.record().state == .running)
        #expect(try container.events().count { $0.kind == .outputBlocked } == 1)
        try fill(container, sizeKibibytes: 64 << 10, again: true)
        #expect(try supervisor.event(.exited).record?.waitStatus == 3 << 8)
        #expect(try container.numbersInOutput(lineEnd: "\n") == lines)
        #expect(try container.events().count { $0.kind == .outputResumed } == 1)
    }

    @Test func whatHasNoRoomIsDroppedAndCountedWhereThatIsAsked() throws {
        let lines = 3_000_000
        let container = try TestContainer("seq 1 \(lines); exit 3", dropsWhenFull: true) {
            try fill($0, sizeKibibytes: 8 << 10)
        }
        defer { umount2(container.directory, 2) }
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        _ = try supervisor.event(.outputBlocked)
        let record = try supervisor.event(.exited).record
        #expect(record?.waitStatus == 3 << 8)
        let all = (1...lines).reduce(UInt64(0)) { $0 + UInt64(String($1).utf8.count) + 1 }
        #expect((1 << 20..<all).contains(record?.outputDroppedBytes ?? 0))
    }

    @Test func anExitIsRecordedWhileOutputHasNoRoom() throws {
        let container = try TestContainer("yes") { try fill($0, sizeKibibytes: 4 << 10) }
        defer { umount2(container.directory, 2) }
        try expectItsExitOnceBlocked(container)
    }

    /// 64 KiB of output come at once, where the disk has about 50 left and keeps 32 for records.
    @Test func whatFitsInAPipeDoesNotTakeTheRoomOfAnExit() throws {
        let container = try TestContainer("dd if=/dev/zero bs=64k count=1 2>/dev/null; exec sleep 100") {
            try fill($0, sizeKibibytes: 512)
            let filler = try Files.open($0.directory + "/filler", [.writeOnly, .create, .exclusive])
            try Files.writeAll(filler.raw, [UInt8](repeating: 1, count: (512 - 80) << 10))
        }
        defer { umount2(container.directory, 2) }
        try expectItsExitOnceBlocked(container)
    }

    private func expectItsExitOnceBlocked(_ container: TestContainer) throws {
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        _ = try supervisor.event(.outputBlocked)
        try supervisor.request(.signal(KeeperV1.Signal(signal: SIGKILL)))
        #expect(try supervisor.event(.exited).record?.waitStatus == SIGKILL)
        #expect(try container.record().state == .exited)
        #expect(try supervisor.request(.release(KeeperV1.Release())).reply?.failure == nil)
    }
}
