// SPDX-License-Identifier: Apache-2.0
import Logs
import Synchronization
import System
import Testing

@testable import EngineCore

/// Events, and what follows from the supervisor's journal.
struct JournalTests {
    private func told(_ engine: Engine, _ filters: [String] = []) async throws -> [String] {
        var query = Engine.EventQuery(filter: try EventFilter(filters))
        query.sinceUnixNanos = 1
        query.untilUnixNanos = Clock.wallNanos
        let actions = Shared<[String]>([])
        try await engine.events(query) { event in actions.withLock { $0.append(event.action) } }
        return actions.withLock { $0 }
    }

    @Test func aLifeIsToldInOrder() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                _ = try await engine.create(name: "e", settings: .busybox())
                _ = try await engine.start("e")
                _ = try await engine.stop("e", timeoutSeconds: nil, signal: "")
                _ = try await engine.remove("e", force: false)
                #expect(try await told(engine) == ["create", "start", "die", "stop", "destroy"])
                #expect(try await told(engine, ["event=die", "event=start"]) == ["start", "die"])
                #expect(try await told(engine, ["container=e", "label=of=image"]).count == 5)
                #expect(try await told(engine, ["container=nobody"]).isEmpty)
                #expect(try await told(engine, ["type=image"]).isEmpty)
            }
        }
    }

    @Test func aPlaceBeyondEverythingIsNoTrap() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                _ = try await engine.create(name: "e", settings: .busybox())
                var query = Engine.EventQuery(filter: try EventFilter([]))
                query.afterSequence = .max
                query.untilUnixNanos = Clock.wallNanos
                try await engine.events(query) { _ in }
            }
        }
    }

    /// What the supervisor tells of a moment can be stored after what the engine itself did later.
    @Test func eventsAreToldByTheirTimeHoweverLateTheyCame() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                _ = try await engine.create(name: "e", settings: .busybox())
                try await engine.database.write { db in
                    var event = try #require(try EventTable.after(db, 0, limit: 1).first)
                    for (action, second) in [
                        ("before", 9), ("a", 20), ("after", 40), ("b", 15), ("early", 5),
                    ] {
                        event.action = action
                        event.wallUnixNanos = Int64(second) * 1_000_000_000
                        try EventTable.insert(db, event)
                    }
                }
                var query = Engine.EventQuery(filter: try EventFilter([]))
                query.sinceUnixNanos = 10_000_000_000
                query.untilUnixNanos = 30_000_000_000
                let found = Shared<[EngineEvent]>([])
                try await engine.events(query) { event in found.withLock { $0.append(event) } }
                #expect(found.withLock { $0 }.map(\.action) == ["a", "b"])
                query.afterSequence = try #require(found.withLock { $0 }.first).sequence
                found.withLock { $0 = [] }
                try await engine.events(query) { event in found.withLock { $0.append(event) } }
                #expect(found.withLock { $0 }.map(\.action) == ["b"])
            }
        }
    }

    @Test func eachEventOnceOverRestarts() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                let made = try await engine.create(name: "e", settings: .busybox())
                _ = try await engine.start("e")
                bench.supervisor.end(made.id, code: 3)
                try await eventually { try await told(engine).count == 3 }
            }
            for _ in 0..<3 {
                try await bench.running { engine in
                    bench.supervisor.fail("journal", .unavailable)
                    _ = try await engine.start("e")
                }
            }
            try await bench.running { engine in
                let expected = ["create", "start", "die", "start", "start", "start"]
                try await eventually { try await told(engine) == expected }
                let events = try await engine.database.read { db in try EventTable.after(db, 0, limit: 100) }
                #expect(events.map(\.sequence) == events.map(\.sequence).sorted())
                #expect(events[2].attributes["exitCode"] == "3" && events[2].attributes["name"] == "e")
            }
        }
    }

    @Test func aLostJournalIsSurvived() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                _ = try await engine.create(name: "e", settings: .busybox())
                _ = try await engine.start("e")
                try await eventually { try await told(engine).count == 2 }
            }
            bench.supervisor.state.withLock { state in
                state.journalID = "j2"
                state.journal = []
            }
            try await bench.running { engine in
                _ = try await engine.stop("e", timeoutSeconds: nil, signal: "")
                try await eventually { try await told(engine) == ["create", "start", "die", "stop"] }
            }
        }
    }

    @Test func whatTheImageStoreTellsIsToldOnceOverRestarts() async throws {
        try await withBench { bench in
            bench.images.tell("load")
            for _ in 0..<3 {
                try await bench.running { engine in
                    bench.images.tell("tag")
                    bench.images.fail("events", .unavailable)
                    // What was told before the question is in the answer.
                    let actions = try await told(engine, ["type=image"])
                    #expect(actions.last == "tag")
                }
            }
            try await bench.running { engine in
                let actions = try await told(engine, ["type=image"])
                #expect(actions == ["load", "tag", "tag", "tag"])
                #expect(try await told(engine, ["image=busybox"]).count == 4)
            }
            // Another store: it goes on there, and what is gone is said to be.
            bench.images.state.withLock { state in
                state.journal = "i2"
                state.events = []
            }
            try await bench.running { engine in
                try await eventually {
                    let position = try await engine.database.read { db in
                        try EventTable.position(db, in: .images)
                    }
                    return position.journal == "i2"
                }
                bench.images.tell("pull")
                #expect(try await told(engine, ["type=image"]).last == "pull")
            }
        }
    }

    @Test func theJournalIsAcknowledged() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                _ = try await engine.create(name: "e", settings: .busybox())
                try await eventually { bench.supervisor.state.withLock { $0.acknowledged } == 1 }
            }
        }
    }

    @Test func endedContainersAreRemovedWhenTheyWantIt() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                let made = try await engine.create(name: "r", settings: .busybox { $0.autoRemove = true })
                _ = try await engine.start("r")
                bench.supervisor.end(made.id, code: 7)
                #expect(try await engine.wait("r", until: .removed).code == 7)
                #expect(try await engine.list(all: true, filters: []).isEmpty)
                // Still answered, by name too.
                #expect(try await engine.wait("r", until: .notRunning).code == 7)
                #expect(try await told(engine) == ["create", "start", "die", "destroy"])
            }
            try bench.expectNothingLeft()
        }
    }

    @Test func aRemovalWantedWhileTheEngineWasAwayIsMadeGood() async throws {
        try await withBench { bench in
            let id = try await bench.running { engine in
                let made = try await engine.create(name: "r", settings: .busybox { $0.autoRemove = true })
                _ = try await engine.start("r")
                return made.id
            }
            bench.supervisor.end(id, code: 0)
            try await bench.running { engine in
                try await eventually { try await engine.list(all: true, filters: []).isEmpty }
            }
            try bench.expectNothingLeft()
        }
    }

    @Test func followersReadToTheEndBeforeARemoval() async throws {
        try await withBench { bench in
            let spool = bench.root + "/spool"
            try Files.makeDirectories(spool)
            try await bench.running { engine in
                let made = try await engine.create(name: "r", settings: .busybox { $0.autoRemove = true })
                var query = OutputQuery()
                query.follows = true
                query.untilRunEnds = true
                let read = Shared<[UInt8]>([])
                let chunks = AsyncStream<Void>.makeStream()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { [query] in
                        try await engine.output(of: "r", query) { chunk in
                            if !chunk.bytes.isEmpty {
                                // A slow reader.
                                try await Task.sleep(for: .milliseconds(200))
                                read.withLock { $0 += chunk.bytes }
                            }
                            chunks.continuation.yield()
                        }
                    }
                    // The first, empty one: the follower is there.
                    for await _ in chunks.stream { break }
                    _ = try await engine.start("r")
                    let text = Array("last words\n".utf8)
                    let record = IndexRecord(offset: 0, wallNanos: 1, stream: .standardOutput)
                    try Files.replace(spool + "/1.index", with: record.bytes)
                    try Files.replace(spool + "/1.data", with: text)
                    bench.supervisor.end(made.id, code: 0)
                    #expect(try await engine.wait("r", until: .removed).code == 0)
                    #expect(read.withLock { $0 } == text)
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func aFollowerSeesWhatIsWrittenLater() async throws {
        try await withBench { bench in
            let spool = bench.root + "/spool"
            try await bench.running { engine in
                let made = try await engine.create(name: "w", settings: .busybox())
                _ = try await engine.start("w")
                var query = OutputQuery()
                query.follows = true
                let read = Shared<[UInt8]>([])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { [query] in
                        try await engine.output(of: "w", query) { chunk in read.withLock { $0 += chunk.bytes }
                        }
                    }
                    try await Task.sleep(for: .milliseconds(30))
                    try Files.makeDirectories(spool)
                    let record = IndexRecord(offset: 0, wallNanos: 1, stream: .standardOutput)
                    try Files.replace(spool + "/1.index", with: record.bytes)
                    let data = try Files.open(spool + "/1.data", [.writeOnly, .create, .append])
                    for number in 0..<20 {
                        try Files.writeAll(data.raw, Array("\(number)\n".utf8))
                        try await Task.sleep(for: .milliseconds(3))
                    }
                    let all = (0..<20).map { "\($0)\n" }.joined()
                    try await eventually { read.withLock { $0 } == Array(all.utf8) }
                    bench.supervisor.end(made.id, code: 0)
                    try await group.waitForAll()
                }
            }
        }
    }
}
