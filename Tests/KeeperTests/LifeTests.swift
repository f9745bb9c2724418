// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logs
import Messages
import System
import Testing

/// A container's run from its start to its recorded end, with one keeper.
@Suite(.serialized)
struct LifeTests {
    @Test func outputExitCodeAndEventsAreThere() throws {
        let container = try TestContainer("echo out; echo err >&2; exit 7")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        #expect(try supervisor.start().state == .running)
        let exit = try supervisor.event(.exited)
        #expect(exit.record?.waitStatus == 7 << 8)
        #expect(exit.record?.waitStatusKnown == true)
        #expect(try container.record().state == .exited)
        #expect(try String(decoding: container.output(), as: UTF8.self) == "out\n")
        #expect(try String(decoding: container.output(.standardError), as: UTF8.self) == "err\n")
        #expect(try container.events().map(\.kind) == [.started, .exited])
        #expect(try container.events().map(\.sequence) == [1, 2])
        let reply = try supervisor.request(.release(KeeperV1.Release())).reply
        #expect(reply?.failure == nil)
        #expect(supervisor.awaitKeeperEnd())
        #expect(!Files.exists("/sys/fs/cgroup/pids/petrel-keepertest/\(container.id)"))
    }

    @Test func missingProgramIsAFailureOfItsStep() throws {
        let container = try TestContainer("", arguments: ["/bin/absent"])
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        let reply = try supervisor.request(.start(KeeperV1.Start(run: 1))).reply
        #expect(reply?.failure?.step == "execve")
        #expect(reply?.failure?.errno == ENOENT)
        #expect(reply?.record?.state == .failed)
        #expect(try container.events().map(\.kind) == [.startFailed])
    }

    @Test func aSecondRunGetsItsOwnRecordAndAppendsToTheOutput() throws {
        let container = try TestContainer("echo line")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start(run: 1)
        _ = try supervisor.event(.exited)
        supervisor.events = []
        #expect(try supervisor.start(run: 2).run == 2)
        #expect(try supervisor.event(.exited).record?.run == 2)
        #expect(try String(decoding: container.output(), as: UTF8.self) == "line\nline\n")
        #expect(try container.events().map(\.sequence) == [1, 2, 3, 4])
    }

    @Test func signalsReachInitAndAreRefusedAfterItsEnd() throws {
        let container = try TestContainer("trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        try eventually { try container.output().count == 6 }
        let reply = try supervisor.request(.signal(KeeperV1.Signal(signal: SIGTERM))).reply
        #expect(reply?.failure == nil)
        #expect(try supervisor.event(.exited).record?.waitStatus == 3 << 8)
        let late = try supervisor.request(.signal(KeeperV1.Signal(signal: SIGTERM))).reply
        #expect(late?.failure?.errno == ESRCH)
    }

    @Test func aTerminalShowsEverythingOnce() throws {
        let container = try TestContainer("seq 1 5000; exit 4", terminal: true)
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        #expect(try supervisor.event(.exited).record?.waitStatus == 4 << 8)
        let expected = (1...5000).map { "\($0)\r\n" }.joined()
        #expect(try String(decoding: container.output(), as: UTF8.self) == expected)
    }

    @Test func theRestOfAFloodIsRotatedAway() throws {
        let container = try TestContainer(
            "dd if=/dev/zero bs=65536 count=64 2>/dev/null",
            segmentBytes: 65536,
            segments: 3
        )
        let supervisor = TestSupervisor(container)
        try mountDevices(container)
        try supervisor.startKeeper()
        try supervisor.start()
        _ = try supervisor.event(.exited)
        #expect(try container.spool.segments().count <= 3)
    }

    @Test func stdinReachesTheProcessAndEndsWithItsClient() throws {
        let container = try TestContainer("cat; exit 5", openStdin: true, stdinOnce: true)
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        let client = try TestStream(container, KeeperV1.StreamRequest(attachStdin: true))
        try client.send(Array("hello\n".utf8))
        try eventually {
            try client.readAvailable()
            return try container.output() == Array("hello\n".utf8)
        }
        try client.send([], end: true)
        #expect(try supervisor.event(.exited).record?.waitStatus == 5 << 8)
    }

    /// Device files come with the supervisor's configuration; this container makes its own where a test needs one.
    private func mountDevices(_ container: TestContainer) throws {
        let text = try Files.text(of: container.directory + "/config.json")
        let devices =
            #""devices":[{"path":"/dev/zero","type":"c","major":1,"minor":5,"fileMode":438}],"namespaces""#
        let changed = text.split(separator: #""namespaces""#, maxSplits: 1, omittingEmptySubsequences: false)
            .joined(separator: devices)
        try Files.replace(container.directory + "/config.json", with: Array(changed.utf8))
    }
}
