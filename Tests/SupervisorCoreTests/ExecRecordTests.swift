// SPDX-License-Identifier: Apache-2.0
import Messages
import SupervisorCore
import Testing

/// Answers and events of an exec may cross, and its attempts may be several.
struct ExecRecordTests {
    private static func record(
        _ state: KeeperV1.RunRecord.State,
        attempt: UInt32,
        at nanos: Int64,
        failedAt step: String? = nil
    ) -> KeeperV1.RunRecord {
        KeeperV1.RunRecord(
            state: state,
            startedAtUnixNanos: nanos,
            failure: step.map { KeeperV1.StepFailure(step: $0) },
            execId: "e",
            attempt: attempt
        )
    }

    @Test(
        arguments: [
            ("execve", 2, 127), ("execve", 13, 126), ("user", 2, 126), ("cwd", 2, 126), ("gate", 0, 126),
        ] as [(String, Int32, UInt32)]
    )
    func whatKeepsAnExecFromItsProgramIsItsCode(step: String, errno: Int32, code: UInt32) {
        let failure = KeeperV1.StepFailure(step: step, errno: errno)
        #expect(
            ExitStatus(KeeperV1.RunRecord(state: .failed, failure: failure, execId: "e")).code == code
        )
        // Of a container it is 125.
        let run = ExitStatus(KeeperV1.RunRecord(state: .failed, failure: failure))
        #expect(run.code == (step == "execve" ? code : 125))
    }

    /// A clock that is set back between an attempt's first record and its execution changes nothing.
    @Test func attemptsAreToldApartByTheirNumber() {
        let building = Self.record(.building, attempt: 1, at: 100)
        let running = Self.record(.running, attempt: 1, at: 50)
        let exited = Self.record(.exited, attempt: 1, at: 50)
        #expect(running.supersedes(building))
        #expect(exited.supersedes(running))
        #expect(!running.supersedes(exited))
        let failed = Self.record(.failed, attempt: 1, at: 100, failedAt: "gate")
        let again = Self.record(.building, attempt: 2, at: 20)
        #expect(again.supersedes(failed))
        #expect(!failed.supersedes(again))
        #expect(!exited.supersedes(again))
    }

    @Test func olderKeepersTellThemApartByTime() {
        let failed = Self.record(.failed, attempt: 0, at: 100, failedAt: "gate")
        let again = Self.record(.building, attempt: 0, at: 200)
        #expect(again.supersedes(failed))
        #expect(!failed.supersedes(again))
        let exited = Self.record(.exited, attempt: 0, at: 300)
        #expect(exited.supersedes(again))
        #expect(!Self.record(.running, attempt: 0, at: 400).supersedes(exited))
        // A keeper of today went on after one that did not number them.
        #expect(Self.record(.building, attempt: 1, at: 400).supersedes(failed))
    }
}
