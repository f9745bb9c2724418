// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logs
import Messages
import System
import Testing

/// SIGKILL to the keeper at any instant, and the next one adopts the container.
@Suite(.serialized)
struct KillTests {
    /// Every number once and in order, the exit code, and each event once.
    private func runThroughKills(terminal: Bool, lines: Int) throws {
        let container = try TestContainer("seq 1 \(lines); exit 9", terminal: terminal)
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        var kills = 0
        while try container.record().state == .running {
            usleep(useconds_t.random(in: 100...12000))
            try supervisor.killAndAdopt()
            kills += 1
        }
        #expect(kills > 10)
        #expect(try container.record().waitStatus == 9 << 8)
        #expect(try container.numbersInOutput(lineEnd: terminal ? "\r\n" : "\n") == lines)
        try eventually { try container.events().last?.kind == .exited }
        let events = try container.events()
        #expect(events.map(\.sequence) == events.indices.map { UInt64($0) + 1 })
        #expect(events.count { $0.kind == .started } == 1)
        #expect(events.count { $0.kind == .exited } == 1)
    }

    @Test func aPipeLosesAndRepeatsNothing() throws { try runThroughKills(terminal: false, lines: 3_000_000) }

    @Test func aTerminalLosesAndRepeatsNothing() throws {
        try runThroughKills(terminal: true, lines: 300_000)
    }

    @Test(arguments: ["keeper.output.indexed", "keeper.output.spliced"])
    func killedInTheMiddleOfOutput(point: String) throws {
        let container = try TestContainer("seq 1 200000; exit 2")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        for _ in 0..<5 {
            try container.arm(point)
            guard supervisor.awaitKeeperEnd(within: 0.5) else { break }
            try supervisor.adopt()
        }
        try? Files.unlink(container.faults + "/" + point)
        try eventually { try container.record().state == .exited }
        #expect(try container.output() == Array((1...200_000).map { "\($0)\n" }.joined().utf8))
    }

    @Test(arguments: ["keeper.exit.noticed", "keeper.exit.recorded", "keeper.exit.reaped"])
    func killedBetweenTheEndAndItsRecord(point: String) throws {
        let container = try TestContainer("echo x; exit 11")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try container.arm(point)
        _ = try supervisor.send(.start(KeeperV1.Start(run: 1)))
        try pumpUntilDead(supervisor)
        try supervisor.adopt()
        try eventually { try container.record().state == .exited }
        #expect(try container.record().waitStatus == 11 << 8)
        #expect(try container.record().waitStatusKnown)
        #expect(try container.output() == Array("x\n".utf8))
        try eventually { try container.events().contains { $0.kind == .exited } }
        #expect(try container.events().count { $0.kind == .exited } == 1)
    }

    /// A process that was killed before its program is no program that ran and was killed.
    @Test func killedOnItsWayItWasNotStarted() throws {
        let container = try TestContainer("exit 0")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        supervisor.acknowledges = false
        _ = try supervisor.send(.start(KeeperV1.Start(run: 1)))
        try eventually { (try? container.record())?.process != nil }
        let pid = try #require(try container.record().process?.pid)
        #expect(kill(pid, SIGKILL) == 0)
        try eventually { try container.record().state == .failed }
        let failure = try container.record().failure
        #expect(failure?.step == "init" && failure?.errno == ESRCH, "\(String(describing: failure))")
        try eventually { try container.events().map(\.kind) == [.startFailed] }
    }

    @Test func endedWhileThereWasNoKeeper() throws {
        let container = try TestContainer("sleep 0.3; echo late; exit 12")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        supervisor.kill()
        usleep(800_000)
        try supervisor.adopt()
        try eventually { try container.record().state == .exited }
        #expect(try container.record().waitStatus == 12 << 8)
        #expect(try container.output() == Array("late\n".utf8))
    }

    @Test(arguments: ["keeper.start.building", "keeper.start.spawned", "keeper.start.custody"])
    func killedBeforeTheGateTheRunIsUndoneAndCanBeRepeated(point: String) throws {
        let container = try TestContainer("echo once; exit 1")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try container.arm(point)
        supervisor.acknowledges = false
        _ = try supervisor.send(.start(KeeperV1.Start(run: 1)))
        try pumpUntilDead(supervisor)
        supervisor.acknowledges = true
        try supervisor.adopt()
        try eventually { try container.record().state == .failed }
        #expect(try container.record().failure?.step == "gate")
        supervisor.held = []
        #expect(try supervisor.start(run: 1).state == .running)
        _ = try supervisor.event(.exited)
        #expect(try container.output() == Array("once\n".utf8))
    }

    @Test(arguments: ["keeper.start.gate-opened", "keeper.start.running-recorded"])
    func killedAfterTheGateTheRunGoesOn(point: String) throws {
        let container = try TestContainer("echo once; sleep 0.3; exit 6")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try container.arm(point)
        _ = try supervisor.send(.start(KeeperV1.Start(run: 1)))
        try pumpUntilDead(supervisor)
        try supervisor.adopt()
        try eventually { try container.record().state == .exited }
        #expect(try container.record().waitStatus == 6 << 8)
        #expect(try container.output() == Array("once\n".utf8))
        // The event follows its record.
        try eventually {
            try container.events().map(\.kind).filter { $0 != .adopted } == [.started, .exited]
        }
    }

    @Test(arguments: ["keeper.adopt.received", "keeper.adopt.recorded"])
    func killedWhileAdopting(point: String) throws {
        let container = try TestContainer("seq 1 1000; sleep 0.5; echo end; exit 8")
        let supervisor = TestSupervisor(container)
        try supervisor.startKeeper()
        try supervisor.start()
        supervisor.kill()
        try container.arm(point)
        #expect(throws: (any Error).self) { try supervisor.adopt() }
        supervisor.awaitKeeperEnd()
        try supervisor.adopt()
        try eventually { try container.record().state == .exited }
        #expect(try container.record().waitStatus == 8 << 8)
        #expect(try container.output() == Array(((1...1000).map { "\($0)\n" }.joined() + "end\n").utf8))
    }

    /// Serves the keeper until it dies.
    private func pumpUntilDead(_ supervisor: TestSupervisor) throws {
        #expect(throws: (any Error).self) { _ = try supervisor.answer(to: .max, within: 10) }
        #expect(supervisor.awaitKeeperEnd())
    }
}
