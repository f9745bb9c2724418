// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// rename, top, stats, prune; wait, rm and stop of several.
@Suite(.serialized, .needsRoot)
struct ContainerChangesTests {
    @Test func renameGivesTheNameAway() throws {
        try withSuite { suite in
            let id = try suite.startShell("old", "sleep 1000")
            try suite.startShell("other", "sleep 1000")
            let taken = try suite.petrel("rename", "old", "other")
            #expect(taken.status == 1 && taken.stderr.contains("in use"), "\(taken)")
            #expect(try suite.petrel("rename", "old", "not/allowed").status == 1)
            #expect(try suite.petrel("rename", "old", "old").status == 1)
            #expect(try suite.petrel("rename", "nobody", "x").status == 1)
            #expect(try suite.succeed("rename", "old", "new") == "")
            #expect(try suite.id(of: "new") == id)
            #expect(try !suite.exists(container: "old"))
            try suite.startShell("old", "sleep 1000")
            let until = String(format: "%.3f", Date().timeIntervalSince1970)
            let told = try suite.petrel(
                "events",
                "--since",
                "1",
                "--until",
                until,
                "--filter",
                "event=rename",
                "--format",
                "json"
            )
            let event = try Document(told.lines.first ?? "")
            #expect(event["Actor"]["Attributes"]["oldName"].string == "/old", "\(told)")
            #expect(event["Actor"]["Attributes"]["name"].string == "new", "\(told)")
        }
    }

    @Test func topShowsTheContainersProcesses() throws {
        try withSuite { suite in
            try suite.startShell("t", "sleep 4321 & sleep 1234")
            let table = try suite.petrel("top", "t").lines
            let titles = table.first?.split(separator: " ").map(String.init)
            #expect(titles == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"])
            let pid = try #require(try suite.state("t")["Pid"].int)
            #expect(table.contains { $0.hasPrefix("root") && $0.contains(" \(pid) ") }, "\(table)")
            #expect(table.contains { $0.hasSuffix("sleep 4321") }, "\(table)")
            let list = try suite.petrel("top", "t", "-o", "pid,args").lines
            #expect(list.count == table.count && list.first?.hasPrefix("PID") == true, "\(list)")
            let odd = try suite.petrel("top", "t", "--forest")
            #expect(odd.status == 1 && odd.stderr.contains("--forest"), "\(odd)")
            try suite.succeed("stop", "-t", "0", "t")
            #expect(try suite.petrel("top", "t").stderr.contains("not running"))
        }
    }

    @Test func statsShowWhatIsUsed() throws {
        try withSuite { suite in
            let id = try suite.startShell("busy", "while :; do :; done", options: ["-m", "64m"])
            try suite.startShell("idle", "sleep 1000")
            try suite.succeed("run", "--name", "gone", "busybox", "true")
            let table = try suite.petrel("stats", "--no-stream")
            #expect(
                table.lines.first?.split(separator: " ").joined(separator: " ")
                    == "CONTAINER ID NAME CPU % MEM USAGE / LIMIT MEM % NET I/O BLOCK I/O PIDS"
            )
            #expect(table.lines.count == 3, "\(table)")
            let all = try suite.petrel("stats", "--no-stream", "--all", "--no-trunc", "--format", "json")
            let rows = try all.lines.map { try Document($0) }
            #expect(rows.count == 3, "\(all)")
            let busy = try #require(rows.first { $0["Name"].string == "busy" })
            #expect(busy["ID"].string == id && busy["PIDs"].string == "1", "\(busy)")
            #expect(busy["MemUsage"].string?.hasSuffix("/ 64MiB") == true, "\(busy)")
            let percent = Double(busy["CPUPerc"].string?.dropLast() ?? "") ?? 0
            #expect(percent > 10, "\(busy)")
            let streaming = try suite.background(["stats", "idle"])
            try eventually("two rounds") { streaming.output.split(separator: "\n").count >= 4 }
            // It goes on with the next engine.
            let old = try suite.kill(.engine)
            try suite.waitForSuccessor(of: old, .engine)
            let count = streaming.output.split(separator: "\n").count
            try eventually("more rounds") { streaming.output.split(separator: "\n").count >= count + 4 }
            streaming.kill()
            #expect(try suite.petrel("stats", "--no-stream", "nobody").status == 1)
        }
    }

    @Test func statsEndWithTheLastOfThoseThatAreNamed() throws {
        try withSuite { suite in
            for name in ["a", "b", "other"] { try suite.startShell(name, "sleep 1000") }
            let streaming = try suite.background(["stats", "--no-trunc", "--format", "{{.Name}}", "a", "b"])
            try eventually("a round") {
                streaming.output.contains("a\n") && streaming.output.contains("b\n")
            }
            try suite.succeed("rm", "-f", "a")
            try eventually("rounds of the other one") { streaming.output.hasSuffix("b\nb\n") }
            // One that does not run may run again.
            try suite.succeed("stop", "-t", "0", "b")
            let count = streaming.output.count
            try eventually("more rounds") { streaming.output.count >= count + 4 }
            #expect(streaming.isRunning)
            try suite.succeed("rm", "b")
            let outcome = try streaming.finish(within: 20)
            #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome)")
            #expect(!outcome.stdout.contains("other"), "\(outcome)")
        }
    }

    @Test func pruneRemovesWhatDoesNotRun() throws {
        try withSuite { suite in
            let running = try suite.startShell("running", "sleep 1000")
            try suite.succeed("run", "--name", "big", "busybox", "sh", "-c", "head -c 100000 /dev/zero > /f")
            try suite.succeed("run", "--name", "kept", "-l", "keep=yes", "busybox", "true")
            try suite.succeed("create", "--name", "made", "busybox", "true")
            let big = try suite.id(of: "big")
            let none = try suite.succeed("container", "prune", "-f", "--filter", "until=1h")
            #expect(none == "Total reclaimed space: 0B")
            let first = try suite.succeed("container", "prune", "-f", "--filter", "label!=keep")
            #expect(first.hasPrefix("Deleted Containers:\n") && first.contains(big), "\(first)")
            #expect(first.contains("Total reclaimed space: 1"), "\(first)")
            #expect(try suite.containers().count == 2)
            // Without -f it asks.
            let asked = try suite.petrel("container", "prune", stdin: .bytes(Array("n\n".utf8)))
            #expect(asked.status == 0 && asked.stdout.contains("[y/N]"), "\(asked)")
            #expect(try suite.exists(container: "kept"))
            #expect(try suite.petrel("container", "prune", "-f", "--filter", "odd=1").status == 1)
            try suite.succeed("container", "prune", "-f")
            #expect(try suite.containers() == [running])
            try suite.succeed("rm", "-f", running)
            suite.expectNoRemains()
        }
    }

    @Test func severalAtOnce() throws {
        try withSuite { suite in
            for (name, code) in [("a", 3), ("b", 4)] {
                try suite.startShell(
                    name,
                    "trap 'exit \(code)' TERM HUP; echo up; while :; do usleep 9000; done"
                )
                try suite.waitForLines(name, 1)
            }
            let waiting = try suite.background(["wait", "a", "b"])
            let kill = try suite.petrel("kill", "-s", "SIGHUP", "a", "nobody", "b")
            #expect(
                kill.status == 1 && kill.lines == ["a", "b"] && kill.stderr.contains("nobody"),
                "\(kill)"
            )
            #expect(try waiting.finish(within: 20).lines == ["3", "4"])
            try suite.succeed("start", "a", "b")
            try suite.waitForLines("b", 2)
            #expect(try suite.succeed("stop", "-s", "HUP", "-t", "5", "a", "b") == "a\nb")
            #expect(try suite.state("b")["ExitCode"].int == 4)
            try suite.succeed("restart", "-t", "0", "-s", "TERM", "a", "b")
            #expect(try suite.status(of: "a") == "running")
            let removed = try suite.petrel("rm", "-f", "-v", "a", "b", "nobody")
            #expect(removed.lines == ["a", "b"] && removed.status == 0, "\(removed)")
            #expect(removed.stderr.contains("nobody"), "\(removed)")
            let image = try suite.petrel("rmi", "-f", "nothing")
            #expect(image.lines.isEmpty && image.status == 0, "\(image)")
            #expect(image.stderr.contains("nothing"), "\(image)")
            #expect(try suite.petrel("rmi", "nothing").status == 1)
            suite.expectNoRemains()
        }
    }

    @Test(arguments: FaultPointNames.of("rename", "prune")) func aDeathThereLeavesAllOrNothing(
        _ point: String
    ) throws {
        try withSuite { suite in
            try suite.succeed("create", "--name", "old", "busybox", "true")
            let id = try suite.id(of: "old")
            try suite.arm(point)
            let renamed = try suite.petrel("rename", "old", "new")
            try suite.waitUntilHealthy()
            #expect(renamed.status == 0, "\(renamed)")
            #expect(try suite.id(of: "new") == id)
            let pruned = try suite.petrel("container", "prune", "-f")
            try suite.waitUntilHealthy()
            #expect(pruned.status == 0, "\(pruned)")
            #expect(!suite.isArmed(point))
            try eventually("nothing left") { try suite.containers().isEmpty }
            suite.expectNoRemains(point)
        }
    }
}
