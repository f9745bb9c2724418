// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Many containers write numbered lines while random daemons and keepers are killed.
@Suite(.serialized, .needsRoot)
struct TortureTests {
    struct Ordeal: CustomTestStringConvertible {
        let containers: Int
        let seconds: Double
        var testDescription: String { "\(containers) containers for \(Int(seconds)) s" }
    }

    static var ordeals: [Ordeal] {
        ProcessInfo.processInfo.environment["PETREL_TORTURE"] == "full"
            ? [Ordeal(containers: 100, seconds: 120)] : [Ordeal(containers: 20, seconds: 30)]
    }

    @Test(arguments: ordeals) func everyNumberIsThereOnce(_ ordeal: Ordeal) throws {
        try withSuite { suite in
            var ids: [String] = []
            for number in 0..<ordeal.containers {
                ids.append(
                    try suite.startCounter("n\(number)", micros: 50_000, options: ["--restart=always"])
                )
            }
            let pids = try ids.map { try suite.state($0)["Pid"].int }
            let end = Date().addingTimeInterval(ordeal.seconds)
            var kills = 0
            while Date() < end {
                if Int.random(in: 0..<4) == 0, let daemon = Daemon.allCases.randomElement() {
                    if let pid = try? suite.pid(of: daemon) { Foundation.kill(pid, SIGKILL) }
                } else if let id = ids.randomElement(), let keeper = suite.keeper(of: id) {
                    Foundation.kill(keeper, SIGKILL)
                }
                kills += 1
                pass(seconds: Double.random(in: 0...0.4))
            }
            try suite.waitUntilHealthy(within: 60)
            #expect(kills > Int(ordeal.seconds))
            try eventually("a keeper for each", within: 60, every: 0.5) {
                ids.allSatisfy { suite.keeper(of: $0) != nil }
            }
            // All still run, as the same process, and go on writing.
            let counts = try ids.map { try suite.petrel("logs", $0).lines.count }
            pass(seconds: 1)
            for (index, id) in ids.enumerated() {
                try suite.waitForLines(id, counts[index] + 5)
                try suite.expectCounting(id, atLeast: 20)
                #expect(try suite.state(id)["Pid"].int == pids[index])
                #expect(try suite.inspect(id)["RestartCount"].int == 0)
            }
        }
    }
}
