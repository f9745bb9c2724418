// SPDX-License-Identifier: Apache-2.0
import SupervisorCore
import Testing

struct LifecycleTests {
    private static let now = Moment(wallUnixNanos: 1_000, bootNanos: 500)

    private static func make(_ policy: RestartPolicy = .never, autoRemove: Bool = false) throws -> Lifecycle {
        Lifecycle(
            id: try #require(ContainerID(String(repeating: "a", count: 64))),
            owner: "test",
            policy: policy,
            isAutoRemoved: autoRemove,
            now: now
        )
    }

    /// Keeps count of the keeper's sequence.
    private struct Story {
        var lifecycle: Lifecycle
        var sequence: UInt64 = 0

        mutating func tell(_ kind: KeeperNews.Kind, at nanos: Int64 = 2_000) -> [Lifecycle.Effect] {
            sequence += 1
            let moment = Moment(wallUnixNanos: nanos, bootNanos: nanos)
            return lifecycle.merge(KeeperNews(sequence: sequence, moment: moment, kind: kind))
        }

        mutating func started() -> [Lifecycle.Effect] {
            tell(.started(run: lifecycle.run, pid: 77, atUnixNanos: 2_000))
        }

        mutating func exited(_ code: UInt32, at nanos: Int64 = 3_000) -> [Lifecycle.Effect] {
            tell(.exited(run: lifecycle.run, ExitStatus(code: code, atUnixNanos: nanos)), at: nanos)
        }

        var actions: [Event.Action] { lifecycle.pending.map(\.action) }
    }

    private static func running() throws -> Story {
        var story = Story(lifecycle: try make())
        _ = try story.lifecycle.requestStart(now: now)
        _ = story.started()
        return story
    }

    /// Nobody asked for it to run after the machine's next start.
    @Test func aBootEndsAStartThatNoPolicyRepeats() throws {
        var story = Story(lifecycle: try Self.make())
        _ = try story.lifecycle.requestStart(now: Self.now)
        #expect(story.lifecycle.resume(keeperRun: 0, isNewBoot: true, now: Self.now) == [])
        #expect(story.lifecycle.phase == .exited)
        #expect(story.lifecycle.exit?.isKnown == false)
        #expect(story.actions == [.create, .die])
        var kept = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try kept.lifecycle.requestStart(now: Self.now)
        #expect(kept.lifecycle.resume(keeperRun: 0, isNewBoot: true, now: Self.now) == [.start(run: 1)])
    }

    @Test func aBootRemovesWhatRemovesItself() throws {
        for isStarted in [false, true] {
            var story = Story(lifecycle: try Self.make(autoRemove: true))
            if isStarted { _ = try story.lifecycle.requestStart(now: Self.now) }
            #expect(
                story.lifecycle.resume(keeperRun: 0, isNewBoot: false, now: Self.now).isEmpty == !isStarted
            )
            #expect(!story.lifecycle.isRemovalWanted)
            _ = story.lifecycle.resume(keeperRun: 0, isNewBoot: true, now: Self.now)
            #expect(story.lifecycle.isRemovalWanted)
            #expect(story.actions.last == .removalWanted)
            _ = story.lifecycle.resume(keeperRun: 0, isNewBoot: true, now: Self.now)
            #expect(story.actions.filter { $0 == .removalWanted }.count == 1)
        }
    }

    @Test func whatRemovesItselfNeedNotOutliveThePower() throws {
        let before = try Self.make(autoRemove: true)
        var after = before
        let parts = Lifecycle.UpdatableParts(resources: Array("{}".utf8), policy: .never)
        _ = try after.beginUpdate(to: parts)
        #expect(!after.mustOutlivePower(after: before))
    }

    @Test func aPauseIsToldOnceItIsTrue() throws {
        var story = try Self.running()
        #expect(try story.lifecycle.requestPause() == [.freeze(run: 1)])
        #expect(story.actions == [.create, .start])
        #expect(story.lifecycle.noteFrozen(run: 1, now: Self.now) == [])
        #expect(story.lifecycle.noteFrozen(run: 1, now: Self.now) == [])
        #expect(try story.lifecycle.requestPause() == [])
        #expect(story.lifecycle.resume(keeperRun: 1, isNewBoot: false, now: Self.now) == [.freeze(run: 1)])
        #expect(try story.lifecycle.requestUnpause(now: Self.now) == [.thaw])
        #expect(try story.lifecycle.requestUnpause(now: Self.now) == [])
        #expect(story.actions == [.create, .start, .pause, .unpause])
        #expect(story.lifecycle.resume(keeperRun: 1, isNewBoot: false, now: Self.now) == [.thaw])
    }

    @Test func whatEndsAContainerEndsItsPause() throws {
        var story = try Self.running()
        _ = try story.lifecycle.requestPause()
        _ = story.lifecycle.noteFrozen(run: 1, now: Self.now)
        var stopped = story.lifecycle
        #expect(
            try stopped.requestStop(signal: 15, killDueBootNanos: 9, now: Self.now)
                == [.signal(15), .thaw, .kill(atBootNanos: 9)]
        )
        #expect(throws: SupervisorError.self) { try stopped.requestPause() }
        var killed = story.lifecycle
        #expect(try killed.requestKill(signal: 9, isStop: true, now: Self.now) == [.thaw])
        var hinted = story.lifecycle
        #expect(try hinted.requestKill(signal: 10, isStop: false, now: Self.now) == [])
        #expect(hinted.isPauseTold)
        var deleted = story.lifecycle
        #expect(try deleted.requestDelete(isForced: true, now: Self.now) == [.signal(9), .thaw])
        _ = story.exited(137)
        #expect(!story.lifecycle.isPauseWanted && !story.lifecycle.isPauseTold)
    }

    @Test func aPauseThatFailsLeavesNoTrace() throws {
        var story = try Self.running()
        _ = try story.lifecycle.requestPause()
        #expect(story.lifecycle.giveUpPause(run: 1) == [.thaw])
        #expect(!story.lifecycle.isPauseWanted)
        #expect(story.actions == [.create, .start])
    }

    @Test func anUpdateIsFinishedOrTakenBack() throws {
        var story = try Self.running()
        let always = RestartPolicy(mode: .always)
        _ = try story.lifecycle.beginUpdate(to: .init(resources: [1], policy: always))
        #expect(story.lifecycle.policy == always && story.lifecycle.resources == [1])
        var undone = story.lifecycle
        _ = undone.undoUpdate()
        #expect(undone.policy == .never && undone.resources == [] && undone.beforeUpdate == nil)
        _ = story.lifecycle.finishUpdate(now: Self.now)
        _ = story.lifecycle.finishUpdate(now: Self.now)
        #expect(story.actions == [.create, .start, .update])
        #expect(story.exited(0) != [])
        var removed = try Self.make(autoRemove: true)
        #expect(throws: SupervisorError.self) {
            try removed.beginUpdate(to: .init(resources: [], policy: always))
        }
    }

    @Test func aPlainLifeIsToldOnceAndInOrder() throws {
        var story = Story(lifecycle: try Self.make())
        #expect(try story.lifecycle.requestStart(now: Self.now) == [.start(run: 1)])
        #expect(try story.lifecycle.requestStart(now: Self.now) == [])
        #expect(story.started() == [])
        #expect(story.lifecycle.phase == .running)
        #expect(story.lifecycle.pid == 77)
        #expect(story.exited(3) == [])
        #expect(story.lifecycle.phase == .exited)
        #expect(story.lifecycle.exit?.code == 3)
        #expect(story.actions == [.create, .start, .die])
        #expect(story.lifecycle.pending.map(\.number) == [1, 2, 3])
    }

    /// Whose answer was lost asks again; that must not run a program twice that was quick to end.
    @Test func aStartIsNotRepeatedWithItsKey() throws {
        var story = Story(lifecycle: try Self.make())
        #expect(try story.lifecycle.requestStart(key: "k", now: Self.now) == [.start(run: 1)])
        _ = story.started()
        _ = story.exited(0)
        let request = ContainerRequest(id: story.lifecycle.id, owner: "test", key: "c", specification: [])
        let reread = Lifecycle(story.lifecycle.record(bootID: "b", revision: 1), request: request)
        story.lifecycle = try #require(reread)
        #expect(try story.lifecycle.requestStart(key: "k", now: Self.now) == [])
        #expect(story.lifecycle.phase == .exited)
        #expect(try story.lifecycle.requestStart(key: "l", now: Self.now) == [.start(run: 2)])
        // One that came while it ran has been, too.
        _ = story.started()
        #expect(try story.lifecycle.requestStart(key: "m", now: Self.now) == [])
        _ = story.exited(0)
        #expect(try story.lifecycle.requestStart(key: "m", now: Self.now) == [])
    }

    @Test func newsThatWereMergedChangeNothing() throws {
        var story = Story(lifecycle: try Self.make())
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        let before = story.lifecycle
        story.sequence -= 1
        #expect(story.started() == [])
        #expect(story.lifecycle == before)
    }

    @Test func alwaysRestartsWithDoublingWaits() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        #expect(story.exited(0) == [.restart(afterNanos: 100_000_000, run: 1)])
        #expect(story.lifecycle.phase == .restarting)
        #expect(story.lifecycle.restartDue(run: 1, now: Self.now) == [.start(run: 2)])
        #expect(story.lifecycle.restartDue(run: 1, now: Self.now) == [])
        _ = story.started()
        #expect(story.exited(0) == [.restart(afterNanos: 200_000_000, run: 2)])
        _ = story.lifecycle.restartDue(run: 2, now: Self.now)
        _ = story.started()
        // After ten seconds of running the wait begins anew.
        #expect(story.exited(0, at: 20_000_000_000) == [.restart(afterNanos: 100_000_000, run: 3)])
        #expect(story.lifecycle.restartCount == 2)
    }

    @Test func onFailureGivesUp() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .onFailure, maximumRetries: 1)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = story.exited(1)
        _ = story.lifecycle.restartDue(run: 1, now: Self.now)
        _ = story.started()
        #expect(story.exited(1) == [])
        #expect(story.lifecycle.phase == .exited)
    }

    @Test func stoppingWinsWhileItRuns() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        let effects = try story.lifecycle.requestStop(signal: 15, killDueBootNanos: 9_000, now: Self.now)
        #expect(effects == [.signal(15), .kill(atBootNanos: 9_000)])
        #expect(story.exited(143) == [])
        #expect(story.lifecycle.phase == .exited)
        #expect(story.actions == [.create, .start, .kill, .die, .stop])
    }

    @Test func stoppingWinsWhileItStarts() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        let effects = try story.lifecycle.requestStop(signal: 15, killDueBootNanos: 9_000, now: Self.now)
        #expect(effects == [.kill(atBootNanos: 9_000)])
        #expect(story.started() == [.signal(15), .kill(atBootNanos: 9_000)])
        #expect(story.exited(143) == [])
        #expect(story.lifecycle.phase == .exited)
    }

    @Test func stoppingWinsBeforeARestart() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = story.exited(1)
        #expect(try story.lifecycle.requestStop(signal: 15, killDueBootNanos: 9_000, now: Self.now) == [])
        #expect(story.lifecycle.phase == .exited)
        #expect(story.lifecycle.restartDue(run: 1, now: Self.now) == [])
    }

    @Test func stoppingWinsAfterTheExitThatWasNotMergedYet() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = try story.lifecycle.requestStop(signal: 15, killDueBootNanos: 9_000, now: Self.now)
        #expect(story.exited(0) == [])
        #expect(story.lifecycle.phase == .exited)
    }

    @Test func aProgramThatIsNotThereLeavesItCreated() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        let failure = StartFailure(step: "execve", path: "/nope", errno: 2)
        #expect(story.tell(.startFailed(run: 1, failure)) == [])
        #expect(story.lifecycle.phase == .created)
        #expect(story.lifecycle.exit?.code == 127)
        #expect(story.lifecycle.settledFailure == failure)
    }

    private static let gate = StartFailure(step: "gate", path: "", errno: 0)

    @Test func aStartThatEndedAtTheGateIsRepeated() throws {
        var story = Story(lifecycle: try Self.make())
        _ = try story.lifecycle.requestStart(now: Self.now)
        for run in 1...UInt64(Lifecycle.startRepeatLimit) {
            #expect(story.tell(.startFailed(run: run, Self.gate)) == [.start(run: run + 1)])
            #expect(story.lifecycle.phase == .starting)
        }
        #expect(story.tell(.startFailed(run: story.lifecycle.run, Self.gate)) == [])
        #expect(story.lifecycle.phase == .created)
    }

    /// However often its keeper is killed, and while its output has no room, `--restart=always` goes on.
    @Test(arguments: [gate, StartFailure(step: "output", path: "/spool", errno: 28)])
    func aRestartThatWasKeptFromItsProgramIsTriedAgain(_ failure: StartFailure) throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = story.exited(0)
        _ = story.lifecycle.restartDue(run: 1, now: Self.now)
        var effects: [Lifecycle.Effect] = []
        for _ in 0...Lifecycle.startRepeatLimit where story.lifecycle.phase == .starting {
            effects = story.tell(.startFailed(run: story.lifecycle.run, failure))
        }
        #expect(story.lifecycle.phase == .restarting)
        guard case .restart(_, let run)? = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(story.lifecycle.restartDue(run: run, now: Self.now) == [.start(run: run + 1)])
    }

    @Test func whatIsToldAgainOfAPresentRunChangesNothing() throws {
        var story = Story(lifecycle: try Self.make())
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = story.started()
        #expect(story.actions == [.create, .start])
    }

    @Test func aForcedDeleteAlsoKillsWhatHangsOnItsWay() throws {
        var story = Story(lifecycle: try Self.make())
        _ = try story.lifecycle.requestStart(now: Self.now)
        #expect(try story.lifecycle.requestDelete(isForced: true, now: Self.now) == [.signal(9), .thaw])
    }

    @Test func aRunOfWhichNobodyWillTellIsGivenUp() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        // A keeper whose record was damaged.
        let effects = story.lifecycle.resume(keeperRun: 0, isNewBoot: false, now: Self.now)
        #expect(effects.first == .signal(9) && story.lifecycle.phase == .restarting)
        #expect(story.lifecycle.exit?.isKnown == false)
    }

    @Test func stoppingWinsOverAStartThatNoKeeperHeardOf() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = try story.lifecycle.requestStop(signal: 15, killDueBootNanos: 9_000, now: Self.now)
        #expect(story.lifecycle.resume(keeperRun: 0, isNewBoot: true, now: Self.now) == [])
        #expect(story.lifecycle.phase == .created)
    }

    @Test func autoRemovalIsAskedForOnce() throws {
        var story = Story(lifecycle: try Self.make(autoRemove: true))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = story.exited(0)
        #expect(story.lifecycle.isRemovalWanted)
        #expect(story.actions == [.create, .start, .die, .removalWanted])
    }

    @Test func deletingARunningOneNeedsForce() throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: .always)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        #expect(throws: SupervisorError.isRunning(story.lifecycle.id)) {
            _ = try story.lifecycle.requestDelete(isForced: false, now: Self.now)
        }
        #expect(try story.lifecycle.requestDelete(isForced: true, now: Self.now) == [.signal(9), .thaw])
        #expect(story.actions == [.create, .start, .kill])
        #expect(throws: SupervisorError.isBeingRemoved(story.lifecycle.id)) {
            _ = try story.lifecycle.requestStart(now: Self.now)
        }
        #expect(story.exited(137) == [])
        #expect(story.lifecycle.phase == .exited)
    }

    @Test func aKeeperThatNeverHeardOfTheStartIsTold() throws {
        var lifecycle = try Self.make()
        _ = try lifecycle.requestStart(now: Self.now)
        #expect(lifecycle.resume(keeperRun: 0, isNewBoot: false, now: Self.now) == [.start(run: 1)])
        #expect(lifecycle.resume(keeperRun: 1, isNewBoot: false, now: Self.now) == [])
    }

    @Test(arguments: [(RestartPolicy.Mode.always, true), (.unlessStopped, false), (.no, false)])
    func afterARestartOfTheMachineOnlyAlwaysForgetsThatItWasStopped(
        mode: RestartPolicy.Mode,
        restarts: Bool
    ) throws {
        var story = Story(lifecycle: try Self.make(RestartPolicy(mode: mode)))
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = try story.lifecycle.requestStop(signal: 15, killDueBootNanos: 9_000, now: Self.now)
        _ = story.exited(0)
        let effects = story.lifecycle.resume(keeperRun: 1, isNewBoot: true, now: Self.now)
        #expect(effects.isEmpty == !restarts)
    }

    @Test func theRecordOnDiskGivesTheSameLife() throws {
        let id = try #require(ContainerID(String(repeating: "b", count: 64)))
        var request = ContainerRequest(id: id, owner: "test", key: "k", specification: [])
        request.restartPolicy = RestartPolicy(mode: .always)
        var story = Story(
            lifecycle: Lifecycle(
                id: id,
                owner: "test",
                policy: request.restartPolicy,
                isAutoRemoved: false,
                now: Self.now
            )
        )
        _ = try story.lifecycle.requestStart(now: Self.now)
        _ = story.started()
        _ = try story.lifecycle.requestStop(signal: 2, killDueBootNanos: 9_000, now: Self.now)
        let again = try #require(
            Lifecycle(story.lifecycle.record(bootID: "x", revision: 1), request: request)
        )
        #expect(again.record(bootID: "x", revision: 1) == story.lifecycle.record(bootID: "x", revision: 1))
        #expect(again.phase == .running)
        #expect(again.isManuallyStopped)
    }
}
