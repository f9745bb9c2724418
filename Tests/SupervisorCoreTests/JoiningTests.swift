// SPDX-License-Identifier: Apache-2.0
import SupervisorCore
import Testing

/// Containers that live in another's namespaces, when that one does not run.
struct JoiningTests {
    private static let now = Moment(wallUnixNanos: 1_000, bootNanos: 500)
    private static let absent = StartFailure(step: "join", path: "pid namespace of container bbb", errno: 3)

    private static func make(_ policy: RestartPolicy) throws -> Lifecycle {
        Lifecycle(
            id: try #require(ContainerID(String(repeating: "a", count: 64))),
            owner: "test",
            policy: policy,
            isAutoRemoved: false,
            now: now
        )
    }

    private static func restarted(_ policy: RestartPolicy) throws -> Lifecycle {
        var lifecycle = try make(policy)
        _ = try lifecycle.requestStart(now: now)
        _ = lifecycle.merge(
            KeeperNews(sequence: 1, moment: now, kind: .started(run: 1, pid: 7, atUnixNanos: 1_000))
        )
        let status = ExitStatus(code: 137, atUnixNanos: 2_000)
        _ = lifecycle.merge(KeeperNews(sequence: 2, moment: now, kind: .exited(run: 1, status)))
        #expect(lifecycle.phase == .restarting)
        #expect(lifecycle.restartDue(run: 1, now: now) == [.start(run: 2)])
        return lifecycle
    }

    @Test func aStartByHandFails() throws {
        var lifecycle = try Self.make(RestartPolicy(mode: .always))
        _ = try lifecycle.requestStart(now: Self.now)
        #expect(lifecycle.startRefused(run: 1, Self.absent, now: Self.now) == [])
        #expect(lifecycle.phase == .created && lifecycle.settledFailure == Self.absent)
        #expect(lifecycle.exit?.code == 125)
    }

    @Test func aRestartByThePolicyIsTriedAgain() throws {
        var lifecycle = try Self.restarted(RestartPolicy(mode: .always))
        let effects = lifecycle.startRefused(run: 2, Self.absent, now: Self.now)
        #expect(effects == [.restart(afterNanos: 200_000_000, run: 2)] && lifecycle.phase == .restarting)
        #expect(lifecycle.restartDue(run: 2, now: Self.now) == [.start(run: 3)])
        #expect(lifecycle.restartCount == 2)
    }

    @Test func soIsOneThatLostTheOtherOnItsWay() throws {
        var lifecycle = try Self.restarted(RestartPolicy(mode: .onFailure, maximumRetries: 2))
        let lost = StartFailure(step: "namespace", path: "", errno: 3)
        let news = KeeperNews(sequence: 3, moment: Self.now, kind: .startFailed(run: 2, lost))
        #expect(lifecycle.merge(news) == [.restart(afterNanos: 200_000_000, run: 2)])
        _ = lifecycle.restartDue(run: 2, now: Self.now)
        // That was the last of the retries.
        #expect(lifecycle.startRefused(run: 3, Self.absent, now: Self.now) == [])
        #expect(lifecycle.phase == .exited)
    }

    @Test func otherFailuresEndIt() throws {
        var lifecycle = try Self.restarted(RestartPolicy(mode: .always))
        let other = StartFailure(step: "mount", path: "/x", errno: 2)
        #expect(lifecycle.startRefused(run: 2, other, now: Self.now) == [])
        #expect(lifecycle.phase == .exited)
    }

    @Test func aStopEndsTheWaiting() throws {
        var lifecycle = try Self.restarted(RestartPolicy(mode: .always))
        _ = lifecycle.startRefused(run: 2, Self.absent, now: Self.now)
        _ = try lifecycle.requestStop(signal: 15, killDueBootNanos: 9_000, now: Self.now)
        #expect(lifecycle.phase == .exited)
        #expect(lifecycle.restartDue(run: 2, now: Self.now) == [])
    }
}
