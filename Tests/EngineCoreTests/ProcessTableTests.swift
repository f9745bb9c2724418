// SPDX-License-Identifier: Apache-2.0
@testable import EngineCore
import Testing

struct ProcessTableTests {
    private static let facts = ProcessFacts(
        pid: 42,
        stat: "42 (my (odd) name) S 7 42 42 34817 42 0 0 0 0 0 150 50 0 0 20 0 3 0 1000 4096000 25 0",
        status: "Name:\tx\nUid:\t0\t1000\t0\t0\nGid:\t0\t50\t0\t0\n",
        arguments: Array("prog\0-x\0a b\0".utf8)
    )

    private static let rendering = ProcessRendering(
        nowBootNanos: 110_000_000_000,
        nowWallNanos: 1_700_000_110_000_000_000,
        memoryBytes: 1_024_000,
        users: [1000: "me"],
        groups: [:]
    )

    private func line(_ arguments: [String]) throws -> [String] {
        let facts = try #require(Self.facts)
        return try ProcessColumns(arguments).columns.map { Self.rendering.cell($0.key, facts) }
    }

    @Test func theDefaultIsPsEf() throws {
        #expect(
            try ProcessColumns([]).columns.map(\.title)
                == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
        )
        // 2 seconds of work in 100 seconds of life, begun at 22:13:30 of that day.
        #expect(try line([]) == ["me", "42", "7", "2", "22:13", "pts/1", "00:00:02", "prog -x a b"])
    }

    @Test func listsAreServed() throws {
        #expect(
            try line(["-eo", "pid,uid,gid,group,comm,etime,nlwp,rss,vsz,%cpu,pmem,stat"])
                == [
                    "42", "1000", "50", "50", "my (odd) name", "01:40", "3", "100", "4000", "2.0", "10.0",
                    "S",
                ]
        )
        #expect(
            try ProcessColumns(["-o", "pid,args=What it runs"]).columns.map(\.title) == [
                "PID", "What it runs",
            ]
        )
        #expect(try ProcessColumns(["-opid", "-o", "comm"]).columns.count == 2)
        #expect(try ProcessColumns(["aux"]).columns.first?.title == "USER")
        #expect(try ProcessColumns(["-e -o pid"]).columns.map(\.title) == ["PID"])
    }

    @Test(arguments: [["-o"], ["-o", "nonsense"], ["--forest"], ["-o", ""]])
    func whatCannotBeServedIsRefused(_ arguments: [String]) {
        #expect(throws: EngineError.self) { try ProcessColumns(arguments) }
    }

    @Test func spansAreWrittenAsPsDoes() {
        #expect(ProcessRendering.clock(3_661) == "01:01:01")
        #expect(ProcessRendering.elapsed(59) == "00:59")
        #expect(ProcessRendering.elapsed(90_061) == "01-01:01:01")
    }
}
