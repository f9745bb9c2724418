// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSON
import Messages
import System
import Testing

/// The stream socket: exact through kills of the keeper, bounded, and strict.
@Suite(.serialized)
struct StreamTests {
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
        terminal: Bool = false
    ) throws {
        let process = TestContainer.process(["/bin/sh", "-c", script], terminal: terminal).serialized()
        let request = KeeperV1.Exec(execId: id, processJson: process, openStdin: openStdin)
        #expect(try supervisor.request(.exec(request)).reply?.record?.state == .running)
    }

    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 88_172_645_463_325_252
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
    }

    @Test func bothDirectionsAreExactThroughRandomKills() throws {
        let (container, supervisor) = try running()
        try exec(supervisor, "echo", "cat; exit 3", openStdin: true)
        let request = KeeperV1.StreamRequest(execId: "echo", attachStdin: true, attachOutput: true)
        let stream = try TestStream(container, request)
        let bytes = Self.noise(8 << 20)
        try stream.send(bytes, end: true)
        // By how much has come, so that there are as many however fast that is.
        var (kills, nextKill) = (0, 0)
        let deadline = Clock.bootNanos + 120_000_000_000
        while !stream.isAtEnd {
            guard Clock.bootNanos < deadline else { throw TestFailure("\(kills) kills, and no end") }
            if try !stream.readAvailable(atMost: 1), !stream.isAtEnd { try stream.reconnect() }
            // What the supervisor is told meanwhile.
            _ = try? supervisor.event(.oom, within: 0.001)
            if kills < 60, stream.output[1]?.count ?? 0 >= nextKill {
                usleep(.random(in: 0...3000))
                try supervisor.killAndAdopt()
                try stream.reconnect()
                kills += 1
                nextKill = (stream.output[1]?.count ?? 0) + Int.random(in: 1...(128 << 10))
            }
        }
        #expect(kills > 20, "\(kills)")
        let isSame = stream.output[1] == bytes
        #expect(isSame)
        #expect(try supervisor.event(.execExited, execID: "echo").record?.waitStatus == 3 << 8)
    }

    @Test func aTerminalsOutputIsExactThroughRandomKills() throws {
        let (container, supervisor) = try running()
        try exec(supervisor, "tty", "seq 1 50000", terminal: true)
        let stream = try TestStream(
            container,
            KeeperV1.StreamRequest(execId: "tty", attachOutput: true)
        )
        for _ in 0..<25 {
            usleep(useconds_t.random(in: 100...4000))
            try stream.readAvailable()
            try supervisor.killAndAdopt()
            try stream.reconnect()
        }
        try stream.readToEnd()
        #expect(stream.output[1] == Array((1...50000).map { "\($0)\r\n" }.joined().utf8))
    }

    @Test func whatIsNotAcknowledgedComesAgain() throws {
        let (container, supervisor) = try running()
        try exec(supervisor, "again", "echo one; sleep 0.2; echo two")
        let request = KeeperV1.StreamRequest(execId: "again", attachOutput: true)
        let first = try TestStream(container, request)
        first.acknowledges = false
        _ = try supervisor.event(.execExited, execID: "again")
        try first.readToEnd()
        let second = try TestStream(container, request)
        try second.readToEnd()
        #expect(second.output[1] == Array("one\ntwo\n".utf8) && first.output[1] == second.output[1])
        // Everything was received: a third one is told so, and the copies are of no use any more.
        try eventually {
            supervisor.held.removeAll { $0.name.execId == "again" }
            _ = try supervisor.request(.custodyQuery(KeeperV1.CustodyQuery()))
            return !supervisor.held.contains { $0.name.execId == "again" }
        }
    }

    @Test func aProcessIsHeldUpByWhatIsNotAcknowledged() throws {
        let (container, supervisor) = try running()
        try exec(supervisor, "much", "yes")
        let stream = try TestStream(container, KeeperV1.StreamRequest(execId: "much", attachOutput: true))
        stream.acknowledges = false
        try eventually {
            try stream.readAvailable()
            return stream.output[1]?.count == 512 << 10
        }
        usleep(200_000)
        try stream.readAvailable()
        #expect(stream.output[1]?.count == 512 << 10)
        let reply = try supervisor.request(.signal(KeeperV1.Signal(execId: "much", signal: SIGKILL))).reply
        #expect(reply?.failure == nil)
    }

    @Test func inputStaysOpenForAClientThatComesBack() throws {
        let (container, supervisor) = try running()
        try exec(supervisor, "stay", "cat", openStdin: true)
        let request = KeeperV1.StreamRequest(execId: "stay", attachStdin: true, attachOutput: true)
        var first: TestStream? = try TestStream(container, request)
        try first?.send(Array("a".utf8))
        try eventually {
            try first?.readAvailable()
            return first?.output[1]?.count == 1
        }
        first = nil
        usleep(300_000)
        let next = try TestStream(
            container,
            KeeperV1.StreamRequest(execId: "stay", attachStdin: true, attachOutput: true, stdoutPosition: 1)
        )
        try eventually {
            try next.readAvailable()
            return next.input.map { $0 == (1, 1) } ?? false
        }
        try next.write(frame: 0, Array("b".utf8))
        try next.write(frame: 3, [])
        try eventually {
            _ = try? supervisor.event(.oom, within: 0.001)
            return try !next.readAvailable()
        }
        #expect(next.isAtEnd && next.output[1] == Array("b".utf8))
    }

    /// A client that breaks the rules loses its connection, and nobody else anything.
    @Test(
        arguments: [
            (0, 70_000, 0), (0, 65_536, 65_537), (1, 8, 9), (3, 0, 1), (7, 0, 0), (1, 8, 8),
        ] as [(UInt8, Int, Int)]
    ) func rulesAreKept(kind: UInt8, count: Int, claim: Int) throws {
        let (container, supervisor) = try running()
        try exec(supervisor, "rules", "echo here; sleep 1000", openStdin: true)
        let request = KeeperV1.StreamRequest(execId: "rules", attachStdin: true, attachOutput: true)
        let stream = try TestStream(container, request)
        try eventually {
            try stream.readAvailable()
            return stream.input != nil && stream.output[1]?.count == 5
        }
        // A byte more than there is room for; lengths that are none; output that was never sent.
        if count == 70_000 {
            for _ in 0..<3 { try? stream.write(frame: 0, [UInt8](repeating: 1, count: 60_000)) }
        } else {
            try? stream.write(frame: kind, [UInt8](repeating: 0x11, count: count), claiming: claim)
        }
        try eventually { try !stream.readAvailable() }
        #expect(!stream.isAtEnd)
        var again = request
        again.stdoutPosition = 5
        let next = try TestStream(container, again)
        try eventually {
            try next.readAvailable()
            return next.input != nil
        }
    }

    @Test(arguments: [
        "keeper.stream.taken", "keeper.stream.sent", "keeper.stream.acknowledged", "keeper.stream.accepted",
        "keeper.stream.delivered", "keeper.stream.input-ended", "keeper.stdin.closed",
        "keeper.stream.finished",
    ]) func killedAtEachStep(point: String) throws {
        let (container, supervisor) = try running()
        try exec(supervisor, "step", "cat; exit 6", openStdin: true)
        let request = KeeperV1.StreamRequest(execId: "step", attachStdin: true, attachOutput: true)
        let stream = try TestStream(container, request)
        let bytes = Self.noise(300_000)
        try container.arm(point)
        try stream.send(bytes, end: true)
        var deaths = 0
        let deadline = Clock.bootNanos + 30_000_000_000
        while !stream.isAtEnd || deaths == 0 {
            guard Clock.bootNanos < deadline else { throw TestFailure("\(deaths) deaths, and no end") }
            _ = try? supervisor.event(.oom, within: 0.001)
            _ = try? stream.readAvailable()
            guard supervisor.awaitKeeperEnd(within: 0.001) else { continue }
            deaths += 1
            try supervisor.adopt()
            try stream.reconnect()
        }
        #expect(deaths == 1)
        let isSame = stream.output[1] == bytes
        #expect(isSame)
        #expect(try supervisor.event(.execExited, execID: "step").record?.waitStatus == 6 << 8)
    }
}
