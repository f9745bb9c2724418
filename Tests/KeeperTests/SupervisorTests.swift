// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSON
import Messages
import System
import Testing

/// What a keeper is to supervisors that come, go and ask again.
@Suite(.serialized)
struct SupervisorTests {
    @Test func anotherSupervisorLearnsAllAndGetsItsCopies() throws {
        let container = try TestContainer("cat; exit 2", openStdin: true)
        let first = TestSupervisor(container)
        try first.startKeeper()
        try first.start()
        let second = try TestSupervisor(container, connectingTo: first)
        #expect(second.lastHello?.run?.state == .running)
        #expect(second.lastHello?.lastEventSequence == 1)
        try second.request(.custodyQuery(KeeperV1.CustodyQuery()))
        #expect(
            Set(second.held.map(\.name.role)).isSuperset(of: [.pidfd, .stdinWrite, .stdoutRead, .stderrRead])
        )
        #expect(second.held.contains { $0.name.role == .networkNamespace })
        // Both have copies of the write end; the process sees the end when all are closed.
        try second.request(.closeStdin(KeeperV1.CloseStdin()))
        try second.request(.custodyQuery(KeeperV1.CustodyQuery()))
        try first.request(.custodyQuery(KeeperV1.CustodyQuery()))
        #expect(try second.event(.exited).record?.waitStatus == 2 << 8)
        #expect(try first.event(.exited).record?.waitStatus == 2 << 8)
    }

    @Test func aStartWhoseSupervisorDiedBeforeItHeldTheCopiesIsFinishedByTheNext() throws {
        let container = try TestContainer("echo once; exit 3")
        let first = TestSupervisor(container)
        try first.startKeeper()
        first.acknowledges = false
        _ = try first.send(.start(KeeperV1.Start(run: 1)))
        usleep(200_000)
        let second = try TestSupervisor(container, connectingTo: first)
        #expect(second.lastHello?.run?.state == .building)
        #expect(try second.start(run: 1).state == .running)
        #expect(try second.event(.exited).record?.waitStatus == 3 << 8)
        #expect(try container.output() == Array("once\n".utf8))
    }

    @Test func aRepeatedStartIsHarmless() throws {
        let container = try TestContainer("echo once; sleep 0.3")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        let record = try supervisor.start()
        #expect(try supervisor.start() == record)
        _ = try supervisor.event(.exited)
        #expect(try supervisor.start().state == .exited)
        #expect(try container.output() == Array("once\n".utf8))
    }

    @Test func requestsAreAnsweredWhileTheContainerFloods() throws {
        let container = try TestContainer(
            "yes 0123456789012345678901234567890123456789",
            segmentBytes: 1 << 20,
            segments: 2
        )
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        usleep(100_000)
        for _ in 0..<20 {
            let begin = Clock.bootNanos
            try supervisor.request(.custodyQuery(KeeperV1.CustodyQuery()))
            #expect(Clock.bootNanos - begin < 1_000_000_000)
        }
        #expect(try Files.names(in: "/proc/\(supervisor.keeper)/task").count == 1)
        try supervisor.request(.signal(KeeperV1.Signal(signal: SIGKILL, all: true)))
        #expect(try supervisor.event(.exited).record?.waitStatus == SIGKILL)
    }

    @Test func nothingIsLeftOpenAfterManyRunsAndExecs() throws {
        let container = try TestContainer("sleep 0.2")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        func openCount() throws -> Int { try Files.names(in: "/proc/\(supervisor.keeper)/fd").count }
        let before = try openCount()
        for run in 1...6 as ClosedRange<UInt64> {
            supervisor.events = []
            try supervisor.start(run: run)
            let process = TestContainer.process(["/bin/true"]).serialized()
            let id = "e\(run)"
            try supervisor.request(.exec(KeeperV1.Exec(execId: id, processJson: process, detached: true)))
            _ = try supervisor.event(.execExited, execID: id)
            _ = try supervisor.event(.exited)
        }
        // The network namespace stays for the next run.
        try eventually { try openCount() == before + 1 }
        let children = try Files.text(of: "/proc/\(supervisor.keeper)/task/\(supervisor.keeper)/children")
        #expect(children.isEmpty)
    }

    @Test func aTerminalExecHasItsSizeAndItsOutput() throws {
        let container = try TestContainer("while :; do sleep 1; done")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        let process = TestContainer.process(["/bin/sh", "-c", "read x; echo got $x"], terminal: true)
            .serialized()
        try supervisor.request(.exec(KeeperV1.Exec(execId: "tty", processJson: process, openStdin: true)))
        let resize = KeeperV1.ResizeTerminal(execId: "tty", columns: 100, rows: 30)
        #expect(try supervisor.request(.resizeTerminal(resize)).reply?.failure == nil)
        let request = KeeperV1.StreamRequest(execId: "tty", attachStdin: true, attachOutput: true)
        let stream = try TestStream(container, request)
        try stream.send(Array("hello\n".utf8))
        try stream.readToEnd()
        #expect(String(decoding: stream.output[1] ?? [], as: UTF8.self).contains("got hello\r\n"))
        #expect(
            try supervisor.request(.resizeTerminal(KeeperV1.ResizeTerminal())).reply?.failure?.errno == ENOTTY
        )
    }

    @Test func outOfMemoryIsSaid() throws {
        let container = try TestContainer("x=0123456789; while :; do x=$x$x; done", memoryLimit: 16 << 20)
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        let record = try supervisor.event(.exited, within: 60).record
        #expect(record?.oomKilled == true)
        #expect(record?.waitStatus == SIGKILL)
        #expect(try container.events().contains { $0.kind == .oom })
    }

    @Test func aRunFromBeforeARestartOfTheMachineHasEndedUnknown() throws {
        let container = try TestContainer("")
        let identity = KeeperV1.ProcessIdentity(bootId: "another boot", pid: 1, startTimeTicks: 1)
        let record = KeeperV1.RunRecord(version: 1, run: 4, state: .running, process: identity)
        try Files.replace(container.directory + "/run.pb", with: record.serialized())
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try eventually { try container.record().state == .exited }
        #expect(try !container.record().waitStatusKnown)
    }
}
