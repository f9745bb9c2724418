// SPDX-License-Identifier: Apache-2.0
import Foundation
import System
import Testing
import TestSupport

/// What a container can reach of the programs that made it.
@Suite(.serialized, .needsRoot)
struct IsolationTests {
    /// A process of a container is a clone of its keeper until it executes its own program, and an image can have it
    /// execute `/proc/self/exe` again, inside: that file must not be one that can be written to.
    @Test func theKeepersFileCannotBeWrittenThroughItsProcess() throws {
        try withSuite { suite in
            let id = try suite.startShell("c", "sleep 60")
            var files: [Int32] = []
            defer { for file in files { close(file) } }
            for isAdopter in [false, true] {
                if isAdopter { try suite.replaceKeeper(of: id) }
                let keeper = try #require(suite.keeper(of: id))
                files.append(open("/proc/\(keeper)/exe", O_RDONLY))
                #expect(
                    try String(contentsOfFile: "/proc/\(keeper)/comm", encoding: .utf8) == "petrel-keeper\n"
                )
            }
            try suite.succeed("rm", "-f", "c")
            // While it is executed nobody can write to it, not even where one keeper still waits for its container; what
            // counts is how it is afterwards.
            try eventually("the keeper's end") { suite.keeper(of: id) == nil }
            for file in files {
                var (again, code): (Int32, Int32) = (-1, 0)
                try eventually("nobody executes it", within: 30) {
                    again = open("/proc/self/fd/\(file)", O_WRONLY)
                    code = errno
                    return again >= 0 || code != ETXTBSY
                }
                #expect(file >= 0 && again < 0 && code == EROFS, "\(String(cString: strerror(code)))")
                if again >= 0 { close(again) }
            }
        }
    }

    @Test func anEntrypointThatIsTheKeeperItselfHarmsNothing() throws {
        let keeper = URL(fileURLWithPath: binaries + "/petrel-keeper")
        let before = try Data(contentsOf: keeper)
        try withSuite { suite in
            var layer = TarArchive()
            layer.add(.file, "again", text: "#!/proc/self/exe\n", mode: 0o755)
            let archive = try TestImage.archive("self:1", layers: [TestImage.busyboxLayer(), layer.finished])
            #expect(try suite.petrel("load", stdin: .bytes(archive)).status == 0)
            let outcome = try suite.petrel("run", "--rm", "self:1", "/again")
            #expect(outcome.status == 2 && outcome.stderr.contains("usage: petrel-keeper"), "\(outcome)")
            suite.expectNoRemains()
        }
        #expect(try Data(contentsOf: keeper) == before)
    }

    /// A container may trace: it looks through the root directory of every process that it can see.
    @Test func anExecShowsNothingOfTheHost() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                let mark = directory + "/of-the-host"
                try Data().write(to: URL(fileURLWithPath: mark))
                let look = "for p in /proc/[0-9]*; do test -e $p/root\(mark) && touch /found; done"
                let script = "touch /ready; while :; do \(look); done"
                try suite.startShell("c", script, options: ["--cap-add", "SYS_PTRACE"])
                try eventually("the watcher") {
                    try suite.petrel("exec", "c", "test", "-e", "/ready").status == 0
                }
                for _ in 0..<60 { try suite.petrel("exec", "c", "true") }
                #expect(try suite.petrel("exec", "c", "test", "-e", "/found").status == 1)
            }
        }
    }

    /// The keeper has one thread: what the container has in the place of its terminals must not hold it up.
    @Test func aTerminalThatDoesNotOpenHoldsNobodyUp() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                let file = directory + "/ptmx"
                // An open waits for the holder of a lease, which gets a signal that it takes no notice of.
                signal(SIGIO, SIG_IGN)
                let lease = open(file, O_RDWR | O_CREAT, 0o666)
                defer { close(lease) }
                let setLease: Int32 = 1024
                try #require(fcntl(lease, setLease, Int32(F_WRLCK)) == 0)
                try suite.startShell("c", "sleep 1000", options: ["-v", "\(file):/dev/pts/ptmx"])
                let stuck = try suite.background(["exec", "-t", "c", "true"])
                defer { stuck.kill() }
                pass(seconds: 0.5)
                #expect(try suite.petrel(["exec", "c", "echo", "served"], within: 5).text == "served")
                try suite.succeed("rm", "-f", "c", within: 20)
                suite.expectNoRemains()
            }
        }
    }

    /// Linux 6.12 and later. Daemons and keepers are let in before those that compute; containers have no such privilege.
    @Test func turnsOfTheProcessorAreShortForDaemonsAndUsualInContainers() throws {
        try withSuite { suite in
            let id = try suite.startShell("c", "sleep 1000")
            let usual = try Scheduling.turnNanos()
            let container = try #require(Int32(suite.succeed("inspect", "-f", "{{.State.Pid}}", "c")))
            #expect(try Scheduling.turnNanos(of: container) == usual)
            guard usual > 0 else { return }
            let keeper = try #require(suite.keeper(of: id))
            for process in try Daemon.allCases.map(suite.pid) + [keeper, #require(suite.initPID)] {
                #expect(try Scheduling.turnNanos(of: process) == Scheduling.shortTurnNanos, "\(process)")
            }
        }
    }

    /// The supervisor's threads have nice values of their own, and a keeper inherits that of the one which started it.
    @Test func niceValuesAreThoseThatTheSuiteWasStartedWith() throws {
        // Field 19 of what `cat` tells of itself, whose name has no spaces.
        func nice(_ line: String) -> Int32? {
            line.split(separator: " ").dropFirst(18).first.flatMap { Int32($0) }
        }
        try withSuite { suite in
            let first = try #require(suite.initPID)
            let own = try ProcessStatus(of: first).nice
            for (name, wanted) in [("own", own), ("other", 7)] {
                try Scheduling.setNice(wanted, of: first)
                // The next one is started with it.
                try suite.waitForSuccessor(of: suite.kill(.supervisor), .supervisor)
                let run = try suite.succeed("run", "--rm", "busybox", "cat", "/proc/self/stat")
                #expect(nice(run) == wanted, "\(run)")
                let id = try suite.startShell(name, "sleep 1000")
                let exec = try suite.succeed("exec", name, "cat", "/proc/self/stat")
                #expect(nice(exec) == wanted, "\(exec)")
                let keeper = try #require(suite.keeper(of: id))
                #expect(try ProcessStatus(of: keeper).nice == wanted)
            }
        }
    }

    /// What only the start needed is let go of, and the keeper does its work as before.
    @Test func aKeeperIsSmallOnceItsContainerRuns() throws {
        try withSuite { suite in
            let id = try suite.startShell(
                "c",
                "mkfifo /pipe; while read line; do echo heard $line; done <> /pipe"
            )
            let keeper = try #require(suite.keeper(of: id))
            try eventually("a small keeper", within: 10) {
                let text = try String(contentsOfFile: "/proc/\(keeper)/status", encoding: .utf8)
                let resident = try #require(text.firstMatch(of: /VmRSS:\s+([0-9]+) kB/))
                return try #require(Int(resident.1)) < 4_500
            }
            #expect(try suite.succeed("exec", "c", "sh", "-c", "echo you > /pipe; echo served") == "served")
            try eventually("the line in the log") { try suite.succeed("logs", "c") == "heard you" }
        }
    }

    /// Programs count up to it, or use select(2): what the suite needs for itself is not theirs.
    @Test func theLimitOnOpenFilesIsThatOfTheMachine() throws {
        var before = rlimit()
        getrlimit(__rlimit_resource_t(7), &before)
        var lower = before
        lower.rlim_cur = 777
        setrlimit(__rlimit_resource_t(7), &lower)
        defer { setrlimit(__rlimit_resource_t(7), &before) }
        try withSuite { suite in
            #expect(
                try suite.succeed("run", "--rm", "busybox", "sh", "-c", "ulimit -n; ulimit -Hn")
                    == "777\n\(before.rlim_max)"
            )
            try suite.startShell("c", "sleep 1000")
            #expect(try suite.succeed("exec", "c", "sh", "-c", "ulimit -n") == "777")
            // Nobody who was started again has forgotten.
            try suite.waitForSuccessor(of: suite.kill(.supervisor), .supervisor)
            #expect(try suite.succeed("run", "--rm", "busybox", "sh", "-c", "ulimit -n") == "777")
        }
    }
}
