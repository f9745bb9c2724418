// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Health checks that images define. They run in the supervisor, whatever becomes of the engine.
@Suite(.serialized, .needsRoot)
struct HealthTests {
    /// Loads an image whose health check runs `line` in a shell; spans in milliseconds.
    private func load(
        _ suite: PetrelSuite,
        _ line: String,
        interval: Int = 200,
        timeout: Int = 5000,
        retries: Int = 2,
        startPeriod: Int = 0
    ) throws {
        func nanos(_ millis: Int) -> Int { millis * 1_000_000 }
        let check = """
            {"Test":["CMD-SHELL","\(line)"],"Interval":\(nanos(interval)),"Timeout":\(nanos(timeout)),\
            "Retries":\(retries),"StartPeriod":\(nanos(startPeriod)),"StartInterval":\(nanos(100))}
            """
        let archive = try TestImage.archive(
            "checked:latest",
            layers: [TestImage.busyboxLayer()],
            config: #""Cmd":["sh"],"Healthcheck":\#(check)"#
        )
        try withTemporaryDirectory { directory in
            try Data(archive).write(to: URL(fileURLWithPath: directory + "/image.tar"))
            try suite.succeed("load", "-i", directory + "/image.tar")
        }
    }

    private func start(_ suite: PetrelSuite, _ name: String, _ options: [String] = []) throws -> String {
        let arguments = ["run", "-d", "--name", name] + options + ["checked", "sleep", "1000"]
        let outcome = try suite.petrel(arguments)
        guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
        return outcome.text
    }

    private func waitFor(_ suite: PetrelSuite, _ name: String, _ status: String) throws {
        try eventually("\(name) \(status)") {
            try suite.state(name)["Health"]["Status"].string == status
        }
    }

    private func healthEvents(_ suite: PetrelSuite) throws -> [String] {
        let until = String(format: "%.3f", Date().timeIntervalSince1970)
        let told = try suite.petrel("events", "--since", "1", "--until", until, "--format", "{{.Action}}")
        return told.lines.filter { $0.hasPrefix("health_status") }
    }

    @Test func statusFollowsTheProbes() throws {
        try withSuite(image: false) { suite in
            try load(suite, "echo looked; test ! -e /tmp/ill")
            let id = try start(suite, "h")
            #expect(try suite.petrel("ps").stdout.contains("(health: starting)"))
            try waitFor(suite, "h", "healthy")
            #expect(try suite.petrel("ps").stdout.contains("(healthy)"))
            #expect(try suite.succeed("ps", "-q", "--no-trunc", "--filter", "health=healthy") == id)
            let health = try suite.state("h")["Health"]
            let probe = try #require(health["Log"].array?.last)
            #expect(probe["ExitCode"].int == 0 && probe["Output"].string == "looked\n", "\(health)")
            #expect(probe["Start"].string?.hasSuffix("Z") == true && health["FailingStreak"].int == 0)
            try suite.succeed("exec", "h", "touch", "/tmp/ill")
            try waitFor(suite, "h", "unhealthy")
            #expect(try (suite.state("h")["Health"]["FailingStreak"].int ?? 0) >= 2)
            #expect(try suite.petrel("ps").stdout.contains("(unhealthy)"))
            try suite.succeed("exec", "h", "rm", "/tmp/ill")
            try waitFor(suite, "h", "healthy")
            pass(seconds: 1)
            #expect(try suite.state("h")["Health"]["Log"].array?.count == 5)
            // The probes are nobody's execs.
            #expect((try suite.inspect("h")["ExecIDs"].array ?? []).count <= 2)
            let told = try healthEvents(suite)
            #expect(
                told == ["health_status: healthy", "health_status: unhealthy", "health_status: healthy"],
                "\(told)"
            )
            #expect(try suite.inspect("h")["Config"]["Healthcheck"]["Test"].array?.count == 2)
        }
    }

    @Test func probesGoOnWithoutTheEngineAndOverSupervisorsAndKeepers() throws {
        try withSuite(image: false) { suite in
            try load(suite, "echo probe >> /tmp/probes; sleep 0.3", interval: 100)
            let id = try start(suite, "h")
            try waitFor(suite, "h", "healthy")
            func probes() throws -> Int {
                Int(try suite.succeed("exec", "h", "wc", "-l", "/tmp/probes").prefix { $0.isNumber }) ?? 0
            }
            let before = try probes()
            try suite.succeed("system", "stop", "engine")
            pass(seconds: 2)
            try suite.succeed("system", "start", "engine")
            try suite.waitUntilHealthy()
            #expect(try probes() >= before + 3)
            for _ in 0..<3 {
                let supervisor = try suite.kill(.supervisor)
                try suite.waitForSuccessor(of: supervisor, .supervisor)
                try suite.replaceKeeper(of: id)
                pass(seconds: 0.4)
            }
            let after = try probes()
            try eventually("more probes") { try probes() >= after + 2 }
            #expect(try suite.state("h")["Health"]["Status"].string == "healthy")
            #expect(try healthEvents(suite) == ["health_status: healthy"])
        }
    }

    @Test func aProbeThatTakesTooLongIsKilled() throws {
        try withSuite(image: false) { suite in
            try load(suite, "exec sleep 77", timeout: 300, retries: 2)
            let id = try start(suite, "h")
            try waitFor(suite, "h", "unhealthy")
            let probe = try #require(try suite.state("h")["Health"]["Log"].array?.last)
            #expect(probe["ExitCode"].int == -1, "\(probe)")
            #expect(probe["Output"].string?.contains("exceeded timeout (300ms)") == true, "\(probe)")
            try suite.succeed("stop", "-t", "0", "h")
            #expect(HostProcess.all(mentioning: "77").filter { $0.arguments == ["sleep", "77"] }.isEmpty)
            _ = id
        }
    }

    @Test func inTheStartPeriodFailuresDoNotCount() throws {
        try withSuite(image: false) { suite in
            try load(suite, "head -c 9000 /dev/zero; test -e /tmp/up", retries: 1, startPeriod: 60_000)
            _ = try start(suite, "h")
            try eventually("some probes") { try (suite.state("h")["Health"]["Log"].array ?? []).count >= 3 }
            #expect(try suite.state("h")["Health"]["Status"].string == "starting")
            let output = try suite.state("h")["Health"]["Log"].array?.last?["Output"].string
            #expect(output?.utf8.count == 4096)
            try suite.succeed("exec", "h", "touch", "/tmp/up")
            try waitFor(suite, "h", "healthy")
            try suite.succeed("exec", "h", "rm", "/tmp/up")
            try waitFor(suite, "h", "unhealthy")
        }
    }

    @Test func aPausedContainerIsNotProbed() throws {
        try withSuite(image: false) { suite in
            try load(suite, "true", interval: 100)
            _ = try start(suite, "h")
            try waitFor(suite, "h", "healthy")
            try suite.succeed("pause", "h")
            pass(seconds: 0.3)
            let log = try suite.state("h")["Health"]["Log"].array?.last?["End"].string
            pass(seconds: 1)
            #expect(try suite.state("h")["Health"]["Log"].array?.last?["End"].string == log)
            try suite.succeed("unpause", "h")
            try eventually("further probes") {
                try suite.state("h")["Health"]["Log"].array?.last?["End"].string != log
            }
            #expect(try suite.state("h")["Health"]["Status"].string == "healthy")
            try suite.succeed("stop", "-t", "0", "h")
            #expect(try suite.state("h")["Health"]["Status"].string == "unhealthy")
        }
    }

    /// A death at each step of a probe loses no result and tells no change twice.
    @Test(arguments: FaultPointNames.of("health")) func aDeathInAProbeChangesNothing(_ point: String) throws {
        try withSuite(image: false) { suite in
            try load(suite, "sleep 0.1", interval: 100)
            let id = try start(suite, "h")
            try waitFor(suite, "h", "healthy")
            let pid = try suite.state("h")["Pid"].int
            try suite.arm(point)
            try eventually("death at \(point)") { !suite.isArmed(point) }
            try suite.waitUntilHealthy()
            let last = try suite.state("h")["Health"]["Log"].array?.last?["End"].string
            try eventually("further probes") {
                try suite.state("h")["Health"]["Log"].array?.last?["End"].string != last
            }
            #expect(try suite.state("h")["Health"]["Status"].string == "healthy")
            #expect(try suite.state("h")["Pid"].int == pid)
            #expect(try healthEvents(suite) == ["health_status: healthy"])
            try suite.succeed("rm", "-f", id)
            suite.expectNoRemains(point)
        }
    }
}
