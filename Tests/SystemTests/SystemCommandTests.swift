// SPDX-License-Identifier: Apache-2.0
import Foundation
import System
import Testing
import TestSupport

/// petrel system, version, info.
@Suite(.serialized, .needsRoot)
struct SystemCommandTests {
    @Test func statusShowsEachDaemon() throws {
        try withSuite(image: false) { suite in
            let text = try suite.succeed("system", "status", "--format", "json")
            let rows = try #require(try Document(text).array)
            #expect(
                Set(rows.compactMap { $0["name"].string }).isSuperset(of: Daemon.allCases.map(\.rawValue))
            )
            for row in rows {
                #expect((row["pid"].int ?? 0) > 1 && row["version"].string?.isEmpty == false, "\(row)")
                #expect(row["health"].string == "healthy", "\(row)")
            }
            // Name and pid come first, for those who read JSON with grep.
            let object = try #require(text.split(separator: "{").dropFirst().first)
            let keys = object.split(separator: "\"").filter { !$0.contains(":") && !$0.contains(",") }
            #expect(keys.contains { $0.lowercased() == "name" })
            let table = try suite.petrel("system", "status").lines
            #expect(table.count >= 4 && table[0].contains("PID"), "\(table)")
        }
    }

    @Test func daemonsStopStartAndRestartByName() throws {
        try withSuite { suite in
            try suite.startCounter("t")
            for daemon in Daemon.allCases {
                let old = try suite.pid(of: daemon)
                try suite.succeed("system", "restart", daemon.rawValue)
                #expect(try suite.pid(of: daemon) != old)
                #expect(!HostProcess.isAlive(old))
                try suite.waitUntilHealthy(within: 2)
                try suite.succeed("system", "stop", daemon.rawValue)
                let now = try suite.status().array?.first { $0["name"].string == daemon.rawValue }
                #expect((now?["pid"].int ?? 0) == 0, "\(String(describing: now))")
                try suite.succeed("system", "start", daemon.rawValue)
                try suite.waitUntilHealthy(within: 2)
            }
            try suite.expectCounting("t", atLeast: 10)
            #expect(try suite.petrel("system", "restart", "nonsense").status != 0)
        }
    }

    /// As one that a petrel-init started at the moment of its death: the next one bound the path before it was found.
    @Test func aDaemonThatNobodyCanReachIsStartedAgain() throws {
        try withSuite { suite in
            try suite.succeed("system", "stop", "engine")
            let elsewhere = try UnixSocket.listen(
                .stream,
                at: suite.run + "/elsewhere.sock",
                nonBlocking: true
            )
            let null = try Files.open("/dev/null", .readWrite)
            let stray = try Spawn(
                path: binaries + "/petrel-engine",
                arguments: ["--root", suite.root, "--run", suite.run],
                environment: ["LISTEN_FDS=1", "LISTEN_FDNAMES=engine"],
                descriptors: [0: null.raw, 1: null.raw, 2: null.raw, 3: elsewhere.raw]
            ).start()
            defer {
                Foundation.kill(stray.pid, SIGKILL)
                waitpid(stray.pid, nil, 0)
            }
            try eventually("the stray engine's lock") {
                (try? String(contentsOfFile: suite.root + "/locks/engine.lock", encoding: .utf8))
                    == "\(stray.pid)"
            }
            try suite.succeed("system", "start", "engine")
            try suite.waitUntilHealthy()
            #expect(try suite.pid(of: .engine) != stray.pid)
            #expect(try suite.succeed("ps", "-q") == "")
        }
    }

    /// Whoever holds the listening socket, it is not the daemon that died: to connect is never refused, even while nobody
    /// starts the next one, and the call is answered by that.
    @Test func aDeadDaemonsSocketRefusesNobody() throws {
        try withSuite { suite in
            let processes = try [Daemon.engine, .supervisor, .imageStore].map { try suite.pid(of: $0) }
            let starter = try #require(suite.initPID)
            Foundation.kill(starter, SIGSTOP)
            defer { Foundation.kill(starter, SIGCONT) }
            for process in processes {
                Foundation.kill(process, SIGKILL)
                try eventually("death of \(process)") { HostProcess.descriptors(of: process).isEmpty }
            }
            for name in ["engine", "supervisor", "image-store"] {
                _ = try UnixSocket.connect(.stream, to: "\(suite.run)/\(name).sock")
            }
            let list = try suite.background(["ps", "-q"])
            pass(seconds: 0.3)
            #expect(list.isRunning)
            Foundation.kill(starter, SIGCONT)
            let outcome = try list.finish()
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            try suite.waitUntilHealthy()
        }
    }

    @Test func coloursAreForTerminalsOfThoseWhoWantThem() throws {
        func check(_ more: [String: String], isPiped: Bool = false) throws -> String {
            var environment = ProcessInfo.processInfo.environment
            environment["NO_COLOR"] = nil
            environment["TERM"] = "xterm"
            environment.merge(more) { $1 }
            let command = (binaries + "/petrel", ["system", "check"])
            if isPiped {
                return try ChildProcess(command.0, command.1, environment: environment).finish().stdout
            }
            let check = try TerminalProcess(command.0, command.1, environment: environment)
            _ = try check.finish()
            return check.screen
        }
        #expect(try check([:]).contains("\u{1b}["))
        for plain in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            let screen = try check(plain)
            #expect(screen.contains("kernel") && !screen.contains("\u{1b}"), "\(screen.debugDescription)")
        }
        // An empty one is none, as the convention says.
        #expect(try check(["NO_COLOR": ""]).contains("\u{1b}["))
        #expect(try !check([:], isPiped: true).contains("\u{1b}"))
    }

    @Test func stopWithContainersEndsThem() throws {
        try withSuite { suite in
            let id = try suite.startCounter("t")
            let pid = try #require(try suite.state("t")["Pid"].int)
            try suite.succeed("system", "stop", "--containers")
            // The keeper stays with its container, which still exists; nothing else does.
            try eventually("no process but the keeper") {
                HostProcess.all(mentioning: suite.root).allSatisfy { $0.pid == suite.keeper(of: id) }
            }
            #expect(!HostProcess.isAlive(Int32(pid)))
            try suite.start()
            #expect(try suite.status(of: "t") == "exited")
            try suite.expectCounting("t")
        }
    }

    @Test func versionAndInfo() throws {
        try withSuite { suite in
            let version = try suite.petrel("version")
            #expect(version.status == 0 && version.stdout.contains("Server"), "\(version)")
            try suite.startShell("t", "sleep 1000")
            let info = try suite.petrel("info")
            #expect(info.status == 0, "\(info)")
            #expect(info.stdout.contains("Containers: 1") && info.stdout.contains("Running: 1"), "\(info)")
            #expect(info.stdout.contains("Images: 1"), "\(info)")
        }
    }

    @Test func helpersHaveOneThreadAndNothingElseOpen() throws {
        try withSuite { suite in
            let id = try suite.startShell("t", "sleep 1000")
            for pid in [try #require(suite.keeper(of: id)), try #require(suite.initPID)] {
                let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
                #expect(threads.count == 1, "\(HostProcess.arguments(of: pid))")
            }
            // The container's program holds its three descriptors and no more.
            let pid = try #require(try suite.state("t")["Pid"].int)
            #expect(
                HostProcess.descriptors(of: Int32(pid)).count == 3,
                "\(HostProcess.descriptors(of: Int32(pid)))"
            )
        }
    }

    /// Each daemon tells of its calls where it is asked to, also after it was started again.
    @Test func daemonsTellPrometheus() throws {
        let ports = try (0..<2).map { _ in try freePort() }
        let environment = [
            "PETREL_ENGINE_METRICS": "127.0.0.1:\(ports[0])",
            "PETREL_SUPERVISOR_METRICS": "127.0.0.1:\(ports[1])",
        ]
        try withSuite(environment: environment) { suite in
            for _ in 0..<2 {
                try suite.succeed("run", "--rm", "busybox", "true")
                let engine = try succeed("curl", ["-s", "http://127.0.0.1:\(ports[0])/metrics"]).stdout
                #expect(
                    engine.contains(
                        #"grpc_service="petrel.engine.v1.Containers",grpc_method="Create",grpc_code="OK""#
                    ),
                    "\(engine)"
                )
                let supervisor = try succeed("curl", ["-s", "http://127.0.0.1:\(ports[1])/metrics"]).stdout
                #expect(
                    supervisor.contains(#"grpc_server_handled_total{grpc_service="petrel.supervisor.v1."#),
                    "\(supervisor)"
                )
                try suite.waitForSuccessor(of: suite.kill(.engine), .engine)
            }
        }
    }

    private func freePort() throws -> UInt16 {
        let socket = try InternetSocket.listen(on: "127.0.0.1", port: 0)
        return try InternetSocket.port(of: socket.raw)
    }
}
