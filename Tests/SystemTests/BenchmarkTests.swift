// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// scripts/benchmark: that it measures and reports, never how fast anything is.
@Suite(.serialized, .needsRoot, .needsProgram("python3"), .needsProgram("mkfs.ext4"))
struct BenchmarkTests {
    private static let script = repository + "/scripts/benchmark"

    @Test func groupsAndRowsAreListed() throws {
        let lines = try succeed(Self.script, ["--list"]).lines
        #expect(lines.contains { $0.hasPrefix("engine\trun --rm\tms\t") }, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("rpc\tcall p50\tµs\t≤ 1.50 c, ") }, "\(lines)")
        for line in lines {
            #expect(line.split(separator: "\t").count == 5, "\(line)")
        }
        let unknown = try run(Self.script, ["nonsense", "--list"])
        #expect(unknown.status == 2 && unknown.stderr.contains("nonsense"), "\(unknown)")
    }

    private static let judging = """
        import json, sys
        sys.path.insert(0, sys.argv[1])
        import report
        from bench import Row
        rows = [Row("kept", "ms", 0.5, ""), Row("missed", "ms", 0.5, ""), Row("big", "MB", 0.5, "", limit=1)]
        records = [{"side": "gone", "absent": "no such program"}] + [
            {"row": name, "samples": {"petrel": ours, "peer": [10, 30, 20]}, "reasons": {}}
            for name, ours in (("kept", [4, 6, 5]), ("missed", [11]), ("big", [2]))]
        print(json.dumps(report.entries("group", rows, records, ["peer", "gone"])))
        """

    /// Medians and verdicts of known samples; a peer that is not there has no ratio, and a reason.
    @Test func goalsAreJudged() throws {
        let outcome = try succeed("python3", ["-c", Self.judging, repository + "/scripts/benchmarks"])
        let entries = try #require(try Document(outcome.stdout).array)
        #expect(entries.map { $0["met"].bool } == [true, nil, false, nil, false, false])
        let first = try #require(entries.first)
        #expect(first["ratio"].description == "0.25" && first["theirs"].int == 20, "\(first)")
        #expect(first["ours_p10"].description == "4.2" && first["ours_p90"].description == "5.8", "\(first)")
        #expect(!entries[1]["ratio"].exists)
        #expect(entries[1]["note"].string == "gone: no such program", "\(entries[1])")
    }

    private static let bounding = """
        import json, sys
        sys.path.insert(0, sys.argv[1])
        import report
        from bench import Row
        rows = [
            Row("rate", "1/s", {"slow": 8, "fast": None, "near": 2}, "", more_is_better=True),
            Row("size", "KB", None, "", limit=24),
            Row("rest", "KB", None, "", limit=24),
        ]
        samples = {"petrel": [80], "slow": [10], "fast": [100], "near": [50]}
        records = [{"row": "rate", "samples": samples, "reasons": {}},
                   {"row": "size", "samples": {"petrel": [24]}, "reasons": {}}]
        entries = report.entries("group", rows, records, sys.argv[2:])
        for entry in entries:
            entry["missed"] = report.is_missed(entry, len(sys.argv) > 2)
        print(json.dumps(entries))
        """

    private func bounded(beside peers: [String]) throws -> [Document] {
        let arguments = ["-c", Self.bounding, repository + "/scripts/benchmarks"] + peers
        return try #require(try Document(succeed("python3", arguments).stdout).array)
    }

    /// A row's own peers and their goals, where more is better, and limits without any peer; what could not be judged
    /// although it should be counts as missed.
    @Test func rowsHaveTheirOwnPeersAndLimits() throws {
        let entries = try bounded(beside: ["slow", "fast", "near", "of others"])
        #expect(entries.map { $0["peer"].string } == ["slow", "fast", "near", nil, nil])
        #expect(entries.map { $0["met"].bool } == [true, nil, false, true, nil])
        #expect(entries.map { $0["missed"].bool } == [false, false, true, false, true])

        let alone = try bounded(beside: [])
        #expect(alone.map { $0["met"].bool } == [nil, true, nil])
        #expect(alone.map { $0["missed"].bool } == [false, false, true])
    }

    @Test func aSmallRunReportsEveryRowAndLeavesNothing() throws {
        try withTemporaryDirectory { directory in
            var environment = ProcessInfo.processInfo.environment
            environment["PETREL_BIN"] = binaries
            let outcome = try run(
                Self.script,
                [
                    "engine", "--runs", "1", "--containers", "3", "--json", directory + "/results.json",
                    "--html", directory + "/results.html",
                ],
                within: 180,
                environment: environment
            )
            #expect(outcome.status == 0, "\(outcome)")
            let text = try String(contentsOfFile: directory + "/results.json", encoding: .utf8)
            let entries = try #require(try Document(text).array)
            #expect(entries.count == 9, "\(text)")
            for entry in entries {
                #expect(entry["group"].string == "engine" && entry["unit"].string != nil, "\(entry)")
                let ours = try #require(Double(entry["ours"].description), "\(entry)")
                // With so few containers the difference of two sums may be smaller than what either varies by.
                #expect(ours > 0 || entry["row"].string == "container memory", "\(entry)")
                #expect((Double(entry["goal"].description) ?? 0) > 0, "\(entry)")
                #expect(entry["note"].string == "", "\(entry)")
                // Without peers there is nothing to be compared with.
                #expect(["peer", "theirs", "ratio"].allSatisfy { !entry[$0].exists }, "\(entry)")
            }
            let page = try String(contentsOfFile: directory + "/results.html", encoding: .utf8)
            #expect(page.components(separatedBy: "<svg").count == 10 && page.hasSuffix("</html>\n"))

            let pattern = /\/var\/tmp\/petrel-benchmark-([0-9a-f]{8})/
            let place = try #require(outcome.stderr.firstMatch(of: pattern))
            #expect(!FileManager.default.fileExists(atPath: String(place.0)))
            #expect(HostProcess.all(mentioning: String(place.0)).isEmpty)
            let groups = try run("find", ["/sys/fs/cgroup", "-name", "petrel-\(place.1)"])
            #expect(groups.text.isEmpty, "\(groups)")
        }
    }
}
