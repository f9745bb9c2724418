// SPDX-License-Identifier: Apache-2.0
import SupervisorCore
import Testing

struct HealthTests {
    private static let check = HealthCheck(
        test: ["CMD", "true"],
        intervalMillis: 1000,
        retries: 2,
        startPeriodMillis: 5000,
        startIntervalMillis: 100
    )

    private static func result(_ code: Int32) -> Health.Result {
        Health.Result(startedAtUnixNanos: 1, endedAtUnixNanos: 2, exitCode: code, output: [])
    }

    private static func millis(_ count: Int64) -> Int64 { count * 1_000_000 }

    private func health(after codes: [(code: Int32, atMillis: Int64)]) -> Health {
        var health = Health()
        health.begin(atBootNanos: 0)
        for (code, at) in codes {
            health.note(
                Self.result(code),
                startedBootNanos: Self.millis(at),
                nowBootNanos: Self.millis(at + 10),
                Self.check
            )
        }
        return health
    }

    @Test func failuresInTheStartPeriodDoNotCountBeforeTheFirstSuccess() {
        #expect(health(after: [(1, 100), (1, 200), (1, 300)]).status == .starting)
        #expect(health(after: [(1, 100), (1, 5100)]).failingStreak == 1)
        #expect(health(after: [(1, 5100), (1, 5200)]).status == .unhealthy)
        #expect(health(after: [(0, 100), (1, 200)]).status == .healthy)
        #expect(health(after: [(0, 100), (1, 200), (1, 300)]).status == .unhealthy)
        #expect(health(after: [(0, 100), (1, 200), (1, 300), (0, 400)]).status == .healthy)
        #expect(health(after: [(0, 100), (1, 200), (0, 300)]).failingStreak == 0)
    }

    @Test func theNextProbeIsDueAfterTheIntervalOfItsTime() {
        #expect(health(after: []).due(Self.check) == Self.millis(100))
        #expect(health(after: [(1, 100)]).due(Self.check) == Self.millis(210))
        #expect(health(after: [(0, 100)]).due(Self.check) == Self.millis(1110))
        #expect(health(after: [(1, 5000)]).due(Self.check) == Self.millis(6010))
    }

    @Test func fiveResultsAreKept() {
        let health = health(after: (1...7).map { (Int32($0), Int64($0) * 100) })
        #expect(health.results.map(\.exitCode) == [3, 4, 5, 6, 7])
        #expect(health.probes == 7)
        #expect(Health(health.record) == health)
    }

    @Test(
        arguments: [
            (["CMD", "a", "b"], ["a", "b"]), (["CMD-SHELL", "x | y"], ["/bin/sh", "-c", "x | y"]),
            (["NONE"], nil), ([], nil), (["CMD"], nil),
        ] as [([String], [String]?)]
    ) func whatIsRun(_ test: [String], _ arguments: [String]?) {
        #expect(HealthCheck(test: test).arguments == arguments)
    }

    @Test func onlyTheFirstBytesOfTheOutputAreKept() {
        var output = ProbeOutput(limit: 5)
        output.take([1, 0, 0, 0, 0, 0])
        output.take([0, 3, 0x61, 0x62])
        output.take([0x63, 2, 0, 0, 0, 0, 0, 0, 4, 0x64, 0x65, 0x66, 0x67])
        #expect(output.bytes == Array("abcde".utf8))
    }

    @Test func probesAreNamedByRunAndNumber() throws {
        let id = try #require(ExecID.probe(run: 1, number: 255))
        #expect(id.isProbe && id.text.hasSuffix("000000000000000100000000000000ff"))
        #expect(ExecID.probe(run: .max, number: .max)?.isProbe == true)
    }
}
