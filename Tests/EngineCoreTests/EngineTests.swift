// SPDX-License-Identifier: Apache-2.0
import JSON
import Synchronization
import System
import Testing

@testable import EngineCore

struct EngineTests {
    @Test func aContainersLife() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "web", settings: .busybox())
            #expect(made.name == "web" && made.warnings.isEmpty)
            #expect(try await engine.list(all: false, filters: []).isEmpty)
            let listed = try #require(try await engine.list(all: true, filters: []).first)
            #expect(listed.id == made.id && listed.status == .created && listed.command == "sh")
            #expect(listed.labels == ["of": "image"])
            for reference in ["web", "/web", made.id.text, made.id.short, String(made.id.text.prefix(3))] {
                #expect(try await engine.row(reference).id == made.id)
            }
            #expect(try await engine.start("web") == made.id)
            #expect(try await engine.list(all: false, filters: []).map(\.status) == [.running])
            await #expect(throws: EngineError.stillRunning(made.id, name: "web")) {
                try await engine.remove("web", force: false)
            }
            _ = try await engine.stop("web", timeoutSeconds: 1, signal: "TERM")
            #expect(try await engine.list(all: true, filters: []).map(\.status) == [.exited])
            #expect(try await engine.remove(made.id.short, force: false) == made.id)
            try bench.expectNothingLeft()
            await #expect(throws: EngineError.containerNotFound("web")) { try await engine.start("web") }
        }
    }

    @Test func theOrderHoldsWhatWasAskedFor() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(
                name: "",
                settings: .busybox {
                    $0.restart = .init(mode: .onFailure, maximumRetries: 2)
                    $0.stopSignal = "INT"
                    $0.stopTimeoutSeconds = 3
                    $0.opensStdin = true
                }
            )
            #expect(made.name.contains("_"))
            let order = try #require(bench.supervisor.state.withLock { $0.orders[made.id] })
            #expect(order.stopSignal == 2 && order.stopTimeoutMillis == 3000 && order.opensStdin)
            #expect(order.restart.maximumRetries == 2 && order.rootMounts.count == 1)
            let hostname = try Files.text(of: bench.root + "/engine/containers/\(made.id)/hostname")
            #expect(hostname == made.id.short)
        }
    }

    @Test func aRepeatedRequestMakesNoSecondContainer() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let first = try await engine.create(name: "web", settings: .busybox(), key: "k")
            #expect(try await engine.create(name: "web", settings: .busybox(), key: "k") == first)
            #expect(try await engine.create(name: "", settings: .busybox(), key: "l") != first)
            await #expect(throws: EngineError.self) {
                try await engine.create(name: "", settings: .busybox(), key: "two words")
            }
            #expect(try await engine.list(all: true, filters: []).count == 2)
        }
    }

    @Test func aTakenNameSaysWhoHasIt() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let first = try await engine.create(name: "web", settings: .busybox())
            await #expect(throws: EngineError.nameTaken("web", holder: first.id)) {
                try await engine.create(name: "web", settings: .busybox())
            }
            _ = try await engine.remove("web", force: false)
            _ = try await engine.create(name: "web", settings: .busybox())
        }
    }

    @Test func anAmbiguousPrefixListsCandidates() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            // Seventeen containers cannot all begin with different digits.
            for _ in 0..<17 { _ = try await engine.create(name: "", settings: .busybox()) }
            let firsts = try await engine.list(all: true, filters: []).map { $0.id.text.prefix(1) }
            let shared = try #require(firsts.first { first in firsts.filter { $0 == first }.count > 1 })
            do {
                _ = try await engine.row(String(shared))
                Issue.record("one was chosen")
            } catch EngineError.ambiguousPrefix(let prefix, let candidates) {
                #expect(prefix == shared && candidates.count > 1)
            }
        }
    }

    @Test func anAbsentImageIsSaid() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            await #expect(throws: EngineError.imageNotFound("nope")) {
                try await engine.create(name: "", settings: .busybox { $0.image = "nope" })
            }
            try bench.expectNothingLeft()
        }
    }

    @Test func bindSourcesAreMadeOrMissed() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            func bind(_ name: String, creates: Bool) -> ContainerSettings.Bind {
                .init(
                    source: "\(bench.root)/\(name)",
                    target: "/x",
                    readOnly: false,
                    propagation: "",
                    createSource: creates
                )
            }
            _ = try await engine.create(
                name: "",
                settings: .busybox { $0.binds = [bind("made/deep", creates: true)] }
            )
            #expect(try Files.status(of: bench.root + "/made/deep").kind == .directory)
            await #expect(throws: EngineError.bindSourceAbsent(bench.root + "/absent")) {
                try await engine.create(
                    name: "n",
                    settings: .busybox { $0.binds = [bind("absent", creates: false)] }
                )
            }
            #expect(try await engine.list(all: true, filters: []).count == 1)
        }
    }

    @Test func aProgramThatCannotBeExecutedHasItsCode() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "p", settings: .busybox())
            let detail = PeerError.Detail(
                reason: "program_not_found",
                subject: "execve",
                path: "/bin/nope",
                errorNumber: 2,
                advice: ""
            )
            bench.supervisor.state.withLock {
                $0.failures["start"] = PeerError(
                    daemon: "supervisor",
                    kind: .notFound,
                    message: "execve /bin/nope: ENOENT",
                    detail: detail
                )
            }
            await #expect(
                throws: EngineError.startFailed(made.id, code: 127, reason: "execve /bin/nope: ENOENT")
            ) {
                try await engine.start("p")
            }
        }
    }

    @Test func onlyRunningContainersAreKilledAndExecutedIn() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "k", settings: .busybox())
            await #expect(throws: EngineError.notRunning(made.id, name: "k")) {
                try await engine.kill("k", signal: "")
            }
            await #expect(throws: EngineError.notRunning(made.id, name: "k")) {
                try await engine.exec(in: "k", ExecSettings(), input: { nil }, receive: { _ in })
            }
            _ = try await engine.start("k")
            await #expect(throws: EngineError.invalidSignal("NOPE")) {
                try await engine.kill("k", signal: "NOPE")
            }
            _ = try await engine.kill("k", signal: "")
            #expect(try await engine.wait("k", until: .notRunning).code == 137)
        }
    }

    @Test(arguments: [
        ("name=we", 1), ("name=other", 0), ("status=created", 1), ("status=running", 0), ("label=of", 1),
        ("label=of=image", 1), ("label=of=other", 0), ("ancestor=busybox", 1), ("ancestor=alpine", 0),
        ("exited=0", 0),
    ])
    func listsAreFiltered(_ filter: String, _ count: Int) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            _ = try await engine.create(name: "web", settings: .busybox())
            #expect(try await engine.list(all: true, filters: [filter]).count == count)
        }
    }

    @Test(arguments: ["name", "colour=red", "status=asleep", "exited=x"])
    func unknownFiltersAreRefused(_ filter: String) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            await #expect(throws: EngineError.self) { try await engine.list(all: true, filters: [filter]) }
        }
    }

    @Test func anImageInUseIsKept() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "user", settings: .busybox())
            let refusal = EngineError.imageInUse(
                "busybox",
                container: made.id,
                name: "user",
                isRunning: false
            )
            await #expect(throws: refusal) { try await engine.removeImage("busybox", force: false) }
            _ = try await engine.start("user")
            await #expect(throws: EngineError.self) { try await engine.removeImage("busybox", force: true) }
            _ = try await engine.remove("user", force: true)
            #expect(try await engine.removeImage("busybox", force: false).untagged == ["busybox:latest"])
        }
    }

    @Test func inspectionHasDockersFields() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(
                name: "seen",
                settings: .busybox {
                    $0.command = ["sleep", "9"]
                    $0.limits.memoryBytes = 32 << 20
                }
            )
            _ = try await engine.start("seen")
            let json = try JSON(parsing: try await engine.inspectContainer("seen"))
            #expect(json["Id"]?.string == made.id.text && json["Name"]?.string == "/seen")
            #expect(json["Path"]?.string == "sleep" && json["Args"]?[0]?.string == "9")
            #expect(json["State"]?["Status"]?.string == "running" && json["State"]?["Pid"]?.integer == 77)
            #expect(json["HostConfig"]?["Memory"]?.integer == 32 << 20)
            #expect(json["HostConfig"]?["RestartPolicy"]?["Name"]?.string == "no")
            #expect(
                json["Config"]?["Cmd"]?[1]?.string == "9" && json["Config"]?["Image"]?.string == "busybox"
            )
            #expect(json["NetworkSettings"]?["Networks"]?["none"] != nil)
            let image = try JSON(parsing: try await engine.inspectImage("busybox"))
            #expect(image["RepoTags"]?[0]?.string == "busybox:latest")
            let info = try JSON(parsing: try await engine.information())
            #expect(info["ContainersRunning"]?.integer == 1 && info["NCPU"]?.integer == 2)
        }
    }
}
