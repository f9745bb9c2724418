// SPDX-License-Identifier: Apache-2.0
import InitCore
import Testing

@Suite struct DaemonLifecycleTests {
    private let second: Int64 = 1_000_000_000

    @Test func startsAtOnceAndBecomesReady() {
        var life = DaemonLifecycle()
        #expect(life.phase == .stopped && life.deadline == nil)
        life.want(now: 5)
        #expect(life.phase == .backOff(until: 5) && life.deadline == 5)
        life.spawned(pid: 7, now: 6)
        #expect(life.phase == .starting(pid: 7, since: 6))
        life.becameReady()
        #expect(life.isReady && life.pid == 7 && life.restarts == 0)
    }

    @Test func backOffGrowsAndHealthResetsIt() {
        var life = DaemonLifecycle()
        life.want(now: 0)
        var now: Int64 = 0
        var delays: [Int64] = []
        for pid in 1...9 {
            life.spawned(pid: Int32(pid), now: now)
            now += 1000
            life.exited(status: 256, now: now)
            guard case .backOff(let until) = life.phase else { return #expect(Bool(false)) }
            delays.append((until - now) / 1_000_000)
            now = until
        }
        #expect(delays == [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
        #expect(life.restarts == 9 && life.lastWaitStatus == 256)
        life.spawned(pid: 10, now: now)
        now += 10 * second
        life.exited(status: 9, now: now)
        #expect(life.phase == .backOff(until: now))
    }

    @Test func aProgramThatCannotBeStartedBacksOffToo() {
        var life = DaemonLifecycle()
        life.want(now: 0)
        life.spawnFailed(now: 10)
        #expect(life.phase == .backOff(until: 10))
        life.spawnFailed(now: 20)
        #expect(life.phase == .backOff(until: 20 + 100_000_000))
        // A start that somebody asks for does not wait.
        life.want(now: 30)
        #expect(life.phase == .backOff(until: 30))
    }

    @Test func stoppingWaitsThenKills() {
        var life = DaemonLifecycle()
        life.want(now: 0)
        life.spawned(pid: 3, now: 0)
        life.unwant()
        #expect(life.isUp)
        life.terminated(now: 100)
        #expect(life.phase == .stopping(pid: 3, killAt: 100 + DaemonLifecycle.stopGraceNanos))
        life.killed()
        #expect(life.deadline == nil && life.pid == 3)
        life.exited(status: 9, now: 200)
        #expect(life.phase == .stopped && life.restarts == 0)
        // Again is harmless.
        life.exited(status: 9, now: 200)
        life.unwant()
        life.terminated(now: 300)
        #expect(life.phase == .stopped)
    }

    @Test func startDuringStopStartsAgain() {
        var life = DaemonLifecycle()
        life.want(now: 0)
        life.spawned(pid: 3, now: 0)
        life.unwant()
        life.terminated(now: 1)
        life.want(now: 2)
        #expect(life.pid == 3)
        life.exited(status: 0, now: 3)
        #expect(life.phase == .backOff(until: 3) && life.restarts == 0)
    }

    @Test func unwantingEndsAWaitAndStatusTextIsBounded() {
        var life = DaemonLifecycle()
        life.want(now: 0)
        life.unwant()
        #expect(life.phase == .stopped)
        life.report(status: String(repeating: "x", count: 10_000))
        #expect(life.statusText.utf8.count == DaemonLifecycle.statusTextLimit)
    }

    @Test func anAdoptedProcessIsWatchedOn() {
        var life = DaemonLifecycle(restarts: 4)
        life.adopted(pid: 12, ready: true, since: 50)
        #expect(life.isReady && life.isWanted && life.restarts == 4)
        life.exited(status: nil, now: 60)
        #expect(life.phase == .backOff(until: 60) && life.restarts == 5 && life.lastWaitStatus == nil)
    }
}
