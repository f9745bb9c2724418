// SPDX-License-Identifier: Apache-2.0
import InitCore
import Testing

@Suite struct ScheduleTests {
    private let names = ["store", "supervisor", "engine"]

    /// All three running, as processes 1, 2 and 3.
    private func running() -> Schedule {
        var schedule = Schedule(names: names)
        schedule.start(names, now: 0)
        _ = schedule.due(now: 0)
        for (index, name) in names.enumerated() {
            schedule[name].spawned(pid: Int32(index + 1), now: 0)
            schedule[name].becameReady()
        }
        return schedule
    }

    @Test func startsInOrderWithoutWaiting() {
        var schedule = Schedule(names: names)
        schedule.start(names, now: 10)
        #expect(schedule.deadline == 10)
        #expect(schedule.due(now: 9) == [])
        #expect(schedule.due(now: 10) == names.map { .spawn($0) })
    }

    @Test func stopsInReverseOneAtATime() {
        var schedule = running()
        schedule.stop(names)
        #expect(schedule.due(now: 1) == [.terminate("engine")])
        #expect(schedule.due(now: 2) == [])
        schedule.exited("engine", status: 0, now: 3)
        #expect(schedule.due(now: 3) == [.terminate("supervisor")])
        schedule.exited("supervisor", status: 0, now: 4)
        #expect(schedule.due(now: 4) == [.terminate("store")])
        #expect(!schedule.isAllStopped)
        schedule.exited("store", status: 0, now: 5)
        #expect(schedule.due(now: 5) == [] && schedule.isAllStopped && schedule.deadline == nil)
    }

    @Test func aStubbornDaemonIsKilledAndTheOthersGoOn() {
        var schedule = running()
        schedule.stop(names)
        _ = schedule.due(now: 0)
        let late = DaemonLifecycle.stopGraceNanos
        #expect(schedule.deadline == late)
        #expect(schedule.due(now: late) == [.kill("engine")])
        #expect(schedule.due(now: late + 1) == [])
        schedule.exited("engine", status: 9, now: late + 2)
        #expect(schedule.due(now: late + 2) == [.terminate("supervisor")])
    }

    @Test func restartEndsThenSpawns() {
        var schedule = running()
        schedule.restart(["supervisor"], now: 1)
        #expect(schedule.isEnding("supervisor") && schedule["supervisor"].isReady)
        #expect(schedule.due(now: 1) == [.terminate("supervisor")])
        schedule.exited("supervisor", status: 0, now: 2)
        #expect(!schedule.isEnding("supervisor"))
        #expect(schedule.due(now: 2) == [.spawn("supervisor")])
        #expect(schedule["supervisor"].restarts == 0)
    }

    @Test func restartStartsWhatDoesNotRun() {
        var schedule = running()
        schedule.stop(["engine"])
        _ = schedule.due(now: 1)
        schedule.exited("engine", status: 0, now: 2)
        #expect(schedule.due(now: 2) == [] && !schedule.isAllStopped)
        schedule.restart(["engine"], now: 3)
        #expect(schedule.due(now: 3) == [.spawn("engine")])
    }

    @Test func aDeathIsAnsweredWithASpawn() {
        var schedule = running()
        #expect(schedule.name(ofProcess: 2) == "supervisor" && schedule.name(ofProcess: 9) == nil)
        schedule.exited("supervisor", status: 9, now: 1)
        #expect(schedule.due(now: 1) == [.spawn("supervisor")])
    }

    @Test func unknownNamesDoNothing() {
        var schedule = running()
        schedule["nobody"].want(now: 0)
        #expect(!schedule.contains("nobody") && schedule["nobody"].phase == .stopped)
    }
}
