// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct EventsTests {
    /// Every event of the suite's life until now, one JSON object on each line.
    private func events(of suite: PetrelSuite, filters: [String] = []) throws -> [Document] {
        let until = String(format: "%.3f", Date().timeIntervalSince1970)
        let arguments = ["events", "--since", "1", "--until", until, "--format", "json"]
        let outcome = try suite.petrel(arguments + filters.flatMap { ["--filter", $0] })
        guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
        return try outcome.lines.map { try Document($0) }
    }

    private func actions(_ events: [Document]) -> [String] {
        events.compactMap { $0["Action"].string ?? $0["status"].string }
    }

    @Test func aContainersLifeIsToldInOrder() throws {
        try withSuite { suite in
            try suite.startShell("e", "sleep 1000")
            try suite.succeed("exec", "e", "true")
            try suite.succeed("stop", "-t", "1", "e")
            try suite.succeed("rm", "e")
            let told = actions(try events(of: suite, filters: ["type=container"]))
                .map { $0.split(separator: ":").first.map(String.init) ?? $0 }
                .filter { !["exec_create", "attach", "resize"].contains($0) }
            #expect(
                told == ["create", "start", "exec_start", "exec_die", "kill", "die", "stop", "destroy"]
                    || told == [
                        "create", "start", "exec_start", "exec_die", "kill", "kill", "die", "stop", "destroy",
                    ],
                "\(told)"
            )
        }
    }

    @Test func removalsByForceAndByTheLotAreTold() throws {
        try withSuite { suite in
            try suite.startShell("e", "sleep 1000")
            try suite.succeed("rm", "-f", "e")
            try suite.succeed("create", "busybox", "true")
            try suite.succeed("container", "prune", "-f")
            let told = try events(of: suite, filters: ["type=container"])
            #expect(
                actions(told) == ["create", "start", "kill", "die", "destroy", "create", "destroy", "prune"],
                "\(told)"
            )
            let prune = try #require(told.last)
            #expect(prune["Actor"]["Attributes"]["reclaimed"].string.flatMap { Int($0) } != nil, "\(prune)")
        }
    }

    /// Whoever dies when something has happened to an image: it is told, and once.
    @Test(arguments: [
        "image-store.load.recorded", "image-store.remove.recorded", "engine.image-events.received",
        "engine.image-events.stored",
    ])
    func whatHappenedToAnImageIsToldOnce(_ point: String) throws {
        try withSuite(image: false) { suite in
            try suite.arm(point)
            // Through a pipe: a file is loaded again when the engine has died meanwhile, and that is told again.
            let script = #"cat "$0" | "$1" --root "$2" --run "$3" load"#
            let arguments = try [busyboxArchive.get(), binaries + "/petrel", suite.root, suite.run]
            _ = try ChildProcess("/bin/sh", ["-c", script] + arguments).finish(within: 60)
            try suite.waitUntilHealthy()
            try suite.succeed("images", "busybox")
            _ = try suite.petrel("rmi", "busybox")
            try suite.waitUntilHealthy()
            #expect(!suite.isArmed(point))
            let told = try eventually("the last event") { () throws -> [String]? in
                let told = actions(try events(of: suite, filters: ["type=image"]))
                return told.last == "delete" ? told : nil
            }
            #expect(told == ["load", "untag", "delete"])
        }
    }

    @Test func theCodeOfAnExitIsInItsEvent() throws {
        try withSuite { suite in
            try suite.succeed("run", "--name", "c", "busybox", "true")
            let outcome = try suite.petrel("run", "--name", "d", "busybox", "sh", "-c", "exit 9")
            #expect(outcome.status == 9)
            let died = try events(of: suite, filters: ["event=die"])
            let codes = died.compactMap { $0["Actor"]["Attributes"]["exitCode"].int }
            #expect(codes == [0, 9], "\(died)")
        }
    }

    /// Whatever is killed and however often: each event once, in order.
    @Test func eachEventOnceOverManyRestarts() throws {
        try withSuite { suite in
            let follower = try suite.background(["events", "--since", "1", "--format", "json"])
            var expected: [String] = []
            for round in 0..<6 {
                let name = "r\(round)"
                try suite.startShell(name, "sleep 1000")
                let daemon = Daemon.allCases[round % 3]
                let old = try suite.kill(daemon)
                try suite.waitForSuccessor(of: old, daemon)
                try suite.succeed("kill", name)
                try suite.waitUntil(name, is: "exited")
                let both = try [suite.pid(of: .engine), suite.pid(of: .supervisor)]
                if round % 2 == 0 { for pid in both { try suite.kill(pid) } }
                try suite.waitUntilHealthy()
                try suite.succeed("rm", name)
                expected += ["create", "start", "kill", "die", "destroy"].map { "\($0) \(name)" }
            }
            func told(_ events: [Document]) -> [String] {
                events.filter { ($0["Type"].string ?? "container") == "container" }
                    .compactMap { event in
                        guard let action = event["Action"].string ?? event["status"].string else {
                            return nil
                        }
                        return action + " " + (event["Actor"]["Attributes"]["name"].string ?? "")
                    }
            }
            try eventually("all events") { try told(events(of: suite)).count >= expected.count }
            #expect(try told(events(of: suite)) == expected)
            // The follower saw the same, over the engine's deaths.
            try eventually("the follower's events", within: 10) {
                !follower.isRunning || follower.output.split(separator: "\n").count >= expected.count
            }
            follower.kill(SIGINT)
            let seen = try follower.finish().lines.compactMap { try? Document($0) }
            #expect(told(seen) == expected)
        }
    }

    /// The exit code of a container that is gone is still answered.
    @Test func waitAnswersForRemovedContainers() throws {
        try withSuite { suite in
            let id = try suite.startShell("gone", "sleep 0.2; exit 21", options: ["--rm"])
            try eventually("removal") { try !suite.exists(container: id) }
            let old = try suite.kill(.supervisor)
            try suite.waitForSuccessor(of: old, .supervisor)
            let engine = try suite.kill(.engine)
            try suite.waitForSuccessor(of: engine, .engine)
            let outcome = try suite.petrel("wait", id)
            #expect(outcome.text == "21", "\(outcome)")
        }
    }
}
