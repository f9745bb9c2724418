// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logs
import Testing
import TestSupport

/// Who runs a container in the foreground gets every byte, however little of its output is kept and however slow he is.
@Suite(.serialized, .needsRoot)
struct ForegroundOutputTests {
    private static let script = "seq 100001 700000"
    private static let bytes = 600_000 * 7

    /// Counts what a command prints, but begins to read late.
    private func count(
        _ suite: PetrelSuite,
        _ arguments: [String],
        after seconds: Int
    ) throws -> ChildProcess {
        let command = ([binaries + "/petrel", "--root", suite.root, "--run", suite.run] + arguments)
            .map { "'\($0)'" }.joined(separator: " ")
        return try ChildProcess("/bin/sh", ["-c", "\(command) | (sleep \(seconds); wc -c)"])
    }

    private func expectAll(_ child: ChildProcess, times: Int = 1) throws {
        let outcome = try child.finish(within: 120)
        #expect(outcome.text == "\(times * Self.bytes)" && outcome.stderr == "", "\(outcome)")
    }

    @Test(
        arguments: [
            ["--log-driver", "none"],
            ["--log-opt", "max-size=64k", "--log-opt", "max-file=2"],
            ["--log-opt", "max-size=4k", "--log-opt", "max-file=1", "--log-opt", "mode=non-blocking"],
        ]
    )
    func nothingIsRotatedAwayUnread(_ options: [String]) throws {
        try withSuite { suite in
            let run = ["run", "--rm"] + options + ["busybox", "sh", "-c", Self.script]
            try expectAll(try count(suite, run, after: 2))
            let create = ["create", "--name", "again"] + options + ["busybox", "sh", "-c", Self.script]
            _ = try suite.petrel(create)
            try expectAll(try count(suite, ["start", "-a", "again"], after: 2))
        }
    }

    /// Who wants one of the two streams is not waited for because of the other.
    @Test(arguments: [("stderr", "\(script); echo end >&2"), ("stdout", "(\(script)) >&2; echo end")])
    func whatNobodyWantsHoldsNothingUp(_ stream: String, _ script: String) throws {
        try withSuite { suite in
            let options = ["-a", stream, "--log-opt", "max-size=4k", "--log-opt", "max-file=2"]
            let outcome = try suite.petrel(
                ["run", "--rm"] + options + ["busybox", "sh", "-c", script],
                within: 60
            )
            #expect(outcome.status == 0 && outcome.stdout + outcome.stderr == "end\n", "\(outcome)")
        }
    }

    /// Whoever ends his requests has all that he wants, also before the output ends.
    @Test func whoSaysNoMoreHoldsNothingUp() throws {
        try withSuite { suite in
            let options = ["--name", "c", "--log-driver", "none"]
            let script = "sleep 1; \(Self.script); \(Self.script); sleep 1000"
            _ = try suite.petrel(["run", "-d"] + options + ["busybox", "sh", "-c", script])
            let start = #"{"start":{"container":"c","follow":true,"untilRunEnds":true}}"#
            let call = ["rpc", "call", "--timeout", "100s", "petrel.engine.v1.Containers/Follow", start]
            let reader = try suite.background(call, stdout: .captured)
            defer { reader.kill() }
            try eventually("all of the output", within: 60) {
                reader.output.hasSuffix("}\n") && reader.output.utf8.count > 2 * Self.bytes
            }
            try suite.succeed("rm", "-f", "c")
        }
    }

    /// An engine that dies after its last word, before the reader's: the next one does not wait for who has everything.
    @Test func nobodyIsWaitedForWhoHasEverything() throws {
        try withSuite { suite in
            // Whether its last word was still sent is the kernel's choice.
            for attempt in 1...5 {
                try suite.arm("engine.output.ended")
                let run = try suite.petrel(["run", "--rm", "busybox", "echo", "x"], within: 40)
                #expect(run.status == 0 && run.text == "x", "attempt \(attempt): \(run)")
                #expect(!suite.isArmed("engine.output.ended"))
                try suite.waitUntilHealthy()
            }
            try eventually("no container") { try suite.containers().isEmpty }
        }
    }

    /// A container that removes itself waits for its reader, although it has ended long before.
    @Test func removalWaitsForTheReader() throws {
        try withSuite { suite in
            let reader = try count(suite, ["run", "--rm", "busybox", "sh", "-c", Self.script], after: 14)
            try expectAll(reader)
            try eventually("removal") { try suite.petrel("ps", "-aq").lines.isEmpty }
        }
    }

    /// Also when the engine that he read from is no more, and he does not come back before he has room for what he has: more than
    /// is kept otherwise, and later than that engine would have waited.
    @Test(arguments: [SIGKILL, SIGTERM])
    func removalWaitsForTheReaderOfAnotherEngine(_ signal: Int32) throws {
        try withSuite { suite in
            let script = "for i in 1 2 3 4; do \(Self.script); done"
            let run = ["run", "--rm", "--log-driver", "none", "busybox", "sh", "-c", script]
            let reader = try count(suite, run, after: 20)
            pass(seconds: 2)
            let old = try suite.kill(.engine, signal: signal)
            try suite.waitForSuccessor(of: old, .engine)
            try expectAll(reader, times: 4)
            try eventually("removal") { try suite.petrel("ps", "-aq").lines.isEmpty }
        }
    }

    /// What was sent and not received yet is as good as unread: here all of it is on its way when the container ends.
    @Test func removalWaitsForWhatIsOnItsWay() throws {
        try withSuite { suite in
            let run = ["run", "--rm", "--name", "c", "busybox", "seq", "100001", "300000"]
            let reader = try count(suite, run, after: 12)
            try suite.waitUntil("c", is: "exited")
            pass(seconds: 2)
            let old = try suite.kill(.engine)
            try suite.waitForSuccessor(of: old, .engine)
            let outcome = try reader.finish(within: 60)
            #expect(outcome.text == "1400000" && outcome.stderr == "", "\(outcome)")
            try eventually("removal") { try suite.petrel("ps", "-aq").lines.isEmpty }
        }
    }

    /// Who waits for whoever reads what he writes comes to the next engine all the same, which waits a minute for him.
    @Test(arguments: [SIGKILL, SIGTERM])
    func theReaderComesBackWhileNobodyReadsWhatHeWrites(_ signal: Int32) throws {
        try withSuite { suite in
            try expectReturn(in: suite) { try suite.kill(.engine, signal: signal) }
        }
    }

    /// An engine that is asked to end does not take him for gone, also while something holds up its end: here a removal that waits
    /// for the image store.
    @Test func theReaderIsNotTakenForGoneWhileTheEngineEnds() throws {
        try withSuite { suite in
            try suite.succeed("create", "--name", "other", "busybox", "true")
            let store = try suite.pid(of: .imageStore)
            defer { Foundation.kill(store, SIGCONT) }
            try expectReturn(in: suite) {
                Foundation.kill(store, SIGSTOP)
                // The engine goes on with it, whoever asked.
                let removal = try suite.background(["rm", "other"])
                defer { removal.kill() }
                pass(seconds: 1)
                return try suite.kill(.engine, signal: SIGTERM)
            } afterCutOff: {
                pass(seconds: 1)
                Foundation.kill(store, SIGCONT)
            }
        }
    }

    /// A container has exited whose output nobody reads; its reader comes to the engine after the one that `end` ends.
    /// - Parameter afterCutOff: When that one has left what it held.
    private func expectReturn(
        in suite: PetrelSuite,
        _ end: () throws -> Int32,
        afterCutOff: () -> Void = {}
    ) throws {
        let arguments = ["run", "--rm", "--name", "c", "busybox", "sh", "-c", Self.script]
        let reader = try suite.background(arguments, stdout: .neverRead)
        defer { reader.kill() }
        try suite.waitUntil("c", is: "exited")
        let id = try suite.petrel("inspect", "--format", "{{.Id}}", "c").text
        let directory = SpoolDirectory(path: "\(suite.root)/supervisor/containers/\(id)/spool")
        #expect(!SpoolHold.isLeft(in: directory))
        let old = try end()
        try eventually("what it held is left") { SpoolHold.isLeft(in: directory) }
        afterCutOff()
        try suite.waitForSuccessor(of: old, .engine)
        try eventually("its return") { !SpoolHold.isLeft(in: directory) }
        #expect(try suite.status(of: "c") == "exited")
    }

    /// It waits for nobody who has gone, and not for those who look at it from elsewhere.
    @Test func theContainerGoesOnWithoutItsReader() throws {
        try withSuite { suite in
            let options = ["--log-driver", "none", "--name", "c", "-v", "\(suite.root):/root"]
            let script = "for i in 1 2 3 4; do \(Self.script); done; touch /root/done; sleep 1000"
            let arguments = ["run"] + options + ["busybox", "sh", "-c", script]
            let reader = try suite.background(arguments, stdout: .neverRead)
            try suite.waitUntil("c", is: "running")
            pass(seconds: 2)
            #expect(!FileManager.default.fileExists(atPath: suite.root + "/done"))
            let attached = try suite.background(["attach", "--no-stdin", "c"], stdout: .neverRead)
            defer { attached.kill() }
            reader.kill()
            try eventually("the script's end") {
                FileManager.default.fileExists(atPath: suite.root + "/done")
            }
            try suite.succeed("rm", "-f", "c")
        }
    }

    /// The engine's death costs no byte of a ring that is always full, however small.
    @Test(arguments: [
        ["--log-driver", "none"], ["--log-opt", "max-size=64k", "--log-opt", "max-file=2"],
    ])
    func theReaderOutlivesTheEngine(_ options: [String]) throws {
        try withSuite { suite in
            let script = "for i in 1 2 3 4 5; do \(Self.script); done"
            let run = ["run", "--rm"] + options + ["busybox", "sh", "-c", script]
            let reader = try count(suite, run, after: 2)
            for _ in 0..<3 {
                pass(seconds: 0.7)
                let old = try suite.kill(.engine)
                try suite.waitForSuccessor(of: old, .engine)
            }
            let outcome = try reader.finish(within: 120)
            #expect(outcome.text == "\(5 * Self.bytes)" && outcome.stderr == "", "\(outcome)")
        }
    }
}
