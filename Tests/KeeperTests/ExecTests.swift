// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSON
import Messages
import System
import Testing

/// Further processes in a running container, and their streams.
@Suite(.serialized)
struct ExecTests {
    private func running() throws -> (TestContainer, TestSupervisor) {
        let container = try TestContainer("while :; do sleep 1; done")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        return (container, supervisor)
    }

    private func exec(
        _ supervisor: TestSupervisor,
        _ id: String,
        _ script: String,
        openStdin: Bool = false,
        detached: Bool = false
    ) throws -> KeeperV1.Reply? {
        let process = TestContainer.process(["/bin/sh", "-c", script]).serialized()
        let request = KeeperV1.Exec(
            execId: id,
            processJson: process,
            openStdin: openStdin,
            detached: detached
        )
        return try supervisor.request(.exec(request)).reply
    }

    @Test func outputComesInFramesAndEndsWithTheProcess() throws {
        let (container, supervisor) = try running()
        #expect(try exec(supervisor, "one", "echo out; echo err >&2; exit 21")?.record?.state == .running)
        let stream = try TestStream(container, KeeperV1.StreamRequest(execId: "one", attachOutput: true))
        try stream.readToEnd()
        #expect(stream.output[1] == Array("out\n".utf8))
        #expect(stream.output[2] == Array("err\n".utf8))
        #expect(try supervisor.event(.execExited, execID: "one").record?.waitStatus == 21 << 8)
    }

    @Test func stdinIsTakenToItsEnd() throws {
        let (container, supervisor) = try running()
        _ = try exec(supervisor, "two", "wc -c", openStdin: true)
        let request = KeeperV1.StreamRequest(execId: "two", attachStdin: true, attachOutput: true)
        let stream = try TestStream(container, request)
        try stream.send([UInt8](repeating: 0x61, count: 300_000), end: true)
        // Custody is given up when the keeper says so, which the supervisor has to hear.
        try eventually {
            try stream.readAvailable()
            _ = try? supervisor.event(.oom, within: 0.001)
            return stream.isAccepted
        }
        _ = try supervisor.event(.execExited, execID: "two")
        try stream.readToEnd()
        #expect(String(decoding: stream.output[1] ?? [], as: UTF8.self).contains("300000"))
    }

    @Test func aDetachedExecNeedsNoClient() throws {
        let (_, supervisor) = try running()
        _ = try exec(supervisor, "three", "seq 1 100000; exit 3", detached: true)
        #expect(try supervisor.event(.execExited, execID: "three").record?.waitStatus == 3 << 8)
    }

    @Test func aStreamGoesOnAfterTheKeeperWasKilled() throws {
        let (container, supervisor) = try running()
        _ = try exec(supervisor, "four", "seq 1 200000; exit 4")
        let stream = try TestStream(container, KeeperV1.StreamRequest(execId: "four", attachOutput: true))
        for _ in 0..<15 {
            usleep(useconds_t.random(in: 100...4000))
            _ = try stream.readAvailable()
            try supervisor.killAndAdopt()
            try stream.reconnect()
        }
        try stream.readToEnd()
        #expect(stream.output[1] == Array((1...200_000).map { "\($0)\n" }.joined().utf8))
        #expect(try supervisor.event(.execExited, execID: "four").record?.waitStatus == 4 << 8)
    }

    @Test func aClientThatStopsReadingHoldsUpNothingElse() throws {
        let (container, supervisor) = try running()
        _ = try exec(supervisor, "five", "yes")
        let stream = try TestStream(container, KeeperV1.StreamRequest(execId: "five", attachOutput: true))
        usleep(300_000)
        let begin = Clock.bootNanos
        _ = try exec(supervisor, "six", "exit 0", detached: true)
        #expect(Clock.bootNanos - begin < 2_000_000_000)
        _ = stream
        let reply = try supervisor.request(.signal(KeeperV1.Signal(execId: "five", signal: SIGKILL))).reply
        #expect(reply?.failure == nil)
        #expect(try supervisor.event(.execExited, execID: "five").record?.waitStatus == SIGKILL)
    }

    @Test(arguments: [
        "keeper.exec.building", "keeper.exec.spawned", "keeper.exec.born", "keeper.exec.custody",
        "keeper.exec.gate-opened",
        "keeper.exec.running-recorded", "keeper.exec.noticed", "keeper.exec.recorded", "keeper.exec.reaped",
    ])
    func killedAtEachStep(point: String) throws {
        let (container, supervisor) = try running()
        try container.arm(point)
        let process = TestContainer.process(["/bin/sh", "-c", "exit 5"]).serialized()
        _ = try supervisor.send(.exec(KeeperV1.Exec(execId: "seven", processJson: process, detached: true)))
        #expect(throws: (any Error).self) { _ = try supervisor.answer(to: .max, within: 5) }
        #expect(supervisor.awaitKeeperEnd())
        try supervisor.adopt()
        try eventually {
            let record = try KeeperV1.RunRecord(
                serialized: try Files.contents(of: container.directory + "/execs/seven.pb")
            )
            let isUndone = record.state == .failed && record.failure?.step == "gate"
            return isUndone || record.state == .exited && record.waitStatus == 5 << 8
        }
        #expect(try container.record().state == .running)
    }

    @Test func anExecInAStoppedContainerIsRefused() throws {
        let container = try TestContainer("exit 0")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        #expect(try exec(supervisor, "eight", "true")?.failure?.errno == ESRCH)
    }
}
