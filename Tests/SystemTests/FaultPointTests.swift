// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// A process is killed at every named step of create, start, exec, stop, delete, pull, load and adopt. Afterwards the
/// operation is wholly there or wholly undone, the suite works, and nothing is left.
@Suite(.serialized, .needsRoot)
struct FaultPointTests {
    /// Points in the sources that no operation here reaches would be tests of nothing.
    @Test func everyDaemonHasFaultPoints() {
        let daemons = Set(FaultPointNames.all.map { $0.split(separator: ".").first.map(String.init) ?? "" })
        #expect(daemons.isSuperset(of: ["engine", "supervisor", "keeper"]), "\(daemons)")
        #expect(
            FaultPointNames.all.allSatisfy { $0.split(separator: ".").count == 3 },
            "\(FaultPointNames.all)"
        )
    }

    /// All but those that no command of a short life reaches: a journal of many megabytes, and the start of petrel-init
    /// itself, before which a test has no suite.
    static let points = FaultPointNames.all.filter { !unreached.contains($0) && !elsewhere.contains($0) }

    /// Operations with fault tests of their own: HealthTests, PauseTests, UpdateTests, ContainerChangesTests, ArchiveTests.
    private static let elsewhere = Set(
        FaultPointNames.of("health", "pause", "unpause", "update", "rename", "prune", "archive")
    )

    private static let unreached: Set<String> = [
        "supervisor.journal.rotated", "supervisor.journal.numbers-written", "init.start.ready",
    ]

    @Test(arguments: points) func aDeathThereLeavesAllOrNothing(_ point: String) throws {
        try withSuite(image: false) { suite in
            try withRegistry { registry in
                try registry.push(archive: busyboxArchive.get(), as: "busybox:pulled")
                try suite.succeed("load", "-i", busyboxArchive.get())
                try suite.succeed("rmi", "busybox")
                try suite.arm(point)
                let life = ContainerLife(suite: suite, registry: registry.address, point: point)
                try life.loadAndPull()
                try life.tagAndPrune()
                try life.runAndExec()
                try life.stopStartRemove()
                try life.failAndRestart()
                #expect(!suite.isArmed(point), "no operation came past \(point)")
                suite.disarmAll()
                try suite.waitUntilHealthy()
                suite.expectNoRemains(point)
                // All of it once more, undisturbed.
                #expect(try suite.succeed("run", "--rm", "busybox", "echo", "fine") == "fine")
                suite.expectNoRemains(point)
            }
        }
    }
}

/// The operations of a container's life, each of which may be cut short once; after each, the state must make sense.
private struct ContainerLife {
    let suite: PetrelSuite
    let registry: String
    let point: String

    /// Whether it is petrel-init that dies there: then nobody starts a daemon again, and commands do not wait for it.
    private var isInits: Bool { point.hasPrefix("init.") }

    /// All daemons again: petrel-init starts them, and a user starts petrel-init should that be what died.
    private func recover() throws {
        try eventually("all daemons again at \(point)", within: 60) {
            // Looked at again and again: petrel-init may die a moment later, as it starts a daemon's successor.
            if suite.initPID == nil { try suite.start() }
            return (try? suite.waitUntilHealthy(within: 3)) != nil
        }
    }

    func loadAndPull() throws {
        let archive = try busyboxArchive.get()
        try suite.petrel("load", "-i", archive)
        try recover()
        // Repeating what was cut short completes it; repeating what was not changes nothing.
        try suite.succeed("load", "-i", archive)
        let name = registry + "/busybox:pulled"
        try suite.petrel("pull", name)
        try recover()
        try suite.succeed("pull", name)
        let run = try suite.petrel("run", "--rm", name, "echo", "pulled")
        #expect(run.status == 0 && run.text == "pulled" || isInits, "\(point): \(run)")
        try recover()
        let echoed = try suite.petrel("run", "-i", "--rm", name, "cat", stdin: .bytes(Array("input".utf8)))
        #expect(!point.hasPrefix("engine.attach.") || echoed.stdout == "input", "\(point): \(echoed)")
        try recover()
        try eventually("no container at \(point)") {
            // One whose client gave up between its creation and its start: its user removes it.
            for id in try suite.containers() where try isInits && suite.status(of: id) == "created" {
                try suite.petrel("rm", id)
            }
            return try suite.containers().isEmpty
        }
        #expect(try suite.succeed("run", "--rm", name, "echo", "pulled") == "pulled", "\(point)")
        // With its last name the image's content goes too.
        for image in [name, "busybox"] {
            try suite.petrel("rmi", image)
            try recover()
            if try suite.petrel("inspect", image).status == 0 { try suite.succeed("rmi", image) }
        }
        try suite.petrel("load", "-i", archive)
        try recover()
        try suite.succeed("load", "-i", archive)
    }

    /// A name is given wholly or not at all; of a pruned image nothing stays.
    func tagAndPrune() throws {
        try suite.petrel("tag", "busybox", "spare:1")
        try recover()
        try suite.succeed("tag", "busybox", "spare:1")
        #expect(
            try suite.succeed("image", "inspect", "-f", "{{len .RepoTags}}", "busybox") == "2",
            "\(point)"
        )
        try suite.petrel("image", "prune", "-a", "-f")
        try recover()
        try suite.succeed("image", "prune", "-a", "-f")
        #expect(try suite.succeed("images", "-q") == "", "\(point)")
        try suite.succeed("load", "-i", busyboxArchive.get())
    }

    func runAndExec() throws {
        let script = "trap 'exit 0' TERM; echo ready; while :; do usleep 10000; done"
        let run = try suite.petrel("run", "-d", "--name", "f", "busybox", "sh", "-c", script)
        #expect(run.status == 0 || isInits, "\(point): \(run)")
        try recover()
        if try !suite.exists(container: "f") {
            // Wholly undone: nothing of it is left, and its name is free.
            suite.expectNoRemains(point)
            try suite.startShell("f", script)
        }
        if try suite.status(of: "f") != "running" { try suite.succeed("start", "f") }
        let id = try suite.id(of: "f")
        try suite.waitUntil("f", is: "running")

        try suite.petrel("exec", "f", "true")
        try recover()
        let exec = try suite.petrel("exec", "f", "sh", "-c", "exit 6")
        #expect(exec.status == 6, "\(point): \(exec)")

        if let keeper = suite.keeper(of: id) {
            Foundation.kill(keeper, SIGKILL)
            try eventually("adoption at \(point)") { suite.keeper(of: id).map { $0 != keeper } == true }
            let after = try suite.petrel("exec", "f", "echo", "adopted")
            #expect(after.text == "adopted", "\(point): \(after)")
        }
        let resumed = try suite.background([
            "exec", "f", "sh", "-c", "echo begun; sleep 2; echo done; exit 4",
        ])
        try eventually("begin of the exec at \(point)") { resumed.output == "begun\n" || !resumed.isRunning }
        for daemon in Daemon.allCases {
            let old = try suite.kill(daemon)
            try recover()
            try suite.waitForSuccessor(of: old, daemon)
        }
        #expect(try suite.status(of: "f") == "running", "\(point)")
        let outcome = try resumed.finish()
        // Whose engine dies while there is no petrel-init is told so.
        let isWhole = outcome.status == 4 && outcome.stdout == "begun\ndone\n"
        #expect(isWhole || (isInits && outcome.stderr.contains("does not answer")), "\(point): \(outcome)")
        let counted = try suite.petrel("exec", "-i", "f", "wc", "-c", stdin: .bytes([1, 2, 3]))
        try recover()
        #expect(counted.text == "3", "\(point): \(counted)")
    }

    func stopStartRemove() throws {
        try suite.petrel("stop", "-t", "3", "f")
        try recover()
        if try suite.status(of: "f") == "running" { try suite.succeed("stop", "-t", "3", "f") }
        try suite.waitUntil("f", is: "exited")

        try suite.petrel("start", "f")
        try recover()
        try suite.petrel("restart", "-t", "3", "f")
        try recover()
        if try suite.status(of: "f") != "running" { try suite.succeed("start", "f") }
        try suite.petrel("kill", "f")
        try recover()
        if try suite.status(of: "f") == "running" { try suite.petrel("kill", "f") }
        try suite.waitUntil("f", is: "exited")

        try suite.petrel("rm", "f")
        try recover()
        try eventually("removal or its undoing at \(point)") {
            guard try suite.exists(container: "f") else { return true }
            return try suite.petrel("rm", "f").status == 0
        }
    }

    /// A creation that cannot succeed, and a program that its policy runs twice.
    func failAndRestart() throws {
        try suite.petrel("run", "--rm", "-u", "nobody-of-this-name", "busybox", "true")
        try recover()
        let made = try suite.petrel("create", "--name", "h", "busybox", "true")
        #expect(made.status == 0 || isInits, "\(point): \(made)")
        try recover()
        if try suite.exists(container: "h") {
            #expect(try suite.status(of: "h") == "created", "\(point)")
            try suite.succeed("rm", "h")
        }
        try suite.petrel(
            ["run", "-d", "--name", "g", "--restart=on-failure:1", "busybox", "sh", "-c", "echo run; exit 1"]
        )
        try recover()
        if try suite.exists(container: "g") {
            if try suite.status(of: "g") == "created" { try suite.succeed("start", "g") }
            try eventually("both runs at \(point)") { try suite.inspect("g")["RestartCount"].int == 1 }
            try suite.waitUntil("g", is: "exited")
            #expect(try suite.petrel("logs", "g").stdout == "run\nrun\n", "\(point)")
            try suite.succeed("rm", "g")
        }
    }
}
