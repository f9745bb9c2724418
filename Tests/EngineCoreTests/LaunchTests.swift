// SPDX-License-Identifier: Apache-2.0
import GRDB
import Synchronization
import System
import Testing

@testable import EngineCore

/// Making and starting in one: what is seen of it, however it was cut off.
struct LaunchTests {
    private static let launch = Engine.Launch(wantsOutput: false)

    private func actions(_ engine: Engine) async throws -> [String] {
        try await engine.database.read { db in try EventTable.after(db, 0, limit: 100) }.map(\.action)
    }

    @Test func aContainerIsMadeAndRuns() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                let made = try await engine.create(name: "x", settings: .busybox(), launch: Self.launch)
                #expect(try await engine.list(all: false, filters: []).map(\.id) == [made.id])
                #expect(bench.supervisor.state.withLock { $0.calls.filter { $0 == "create" }.count } == 1)
                try await eventually { try await actions(engine) == ["create", "start"] }
            }
        }
    }

    /// The engine's own word of it is as late as can be.
    @Test(arguments: [JournalEvent.Action.start, .die])
    func theJournalMakesItVisible(_ action: JournalEvent.Action) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "x", settings: .busybox())
            _ = try await engine.database.write { db in
                try db.execute(sql: "DELETE FROM events")
                return try ContainerRow.move(db, made.id, from: .created, to: .creating)
            }
            for word in [JournalEvent.Action.create, action] {
                bench.supervisor.tell(word, made.id)
                let event = try #require(bench.supervisor.state.withLock { $0.journal.last })
                try await engine.store(event)
                let isSeen = try await !engine.list(all: true, filters: []).isEmpty
                #expect(isSeen == (word == action))
            }
            #expect(try await actions(engine) == ["create", action == .start ? "start" : "die"])
        }
    }

    /// The engine died after the supervisor had it, and before anybody was told.
    @Test func theNextEngineKeepsWhatWasStarted() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "x", settings: .busybox(), key: "k", launch: Self.launch)
            _ = try await engine.database.write { db in
                try ContainerRow.move(db, made.id, from: .created, to: .creating)
            }
            try engine.database.close()
            try await bench.running { engine in
                #expect(try await engine.list(all: true, filters: []).map(\.id) == [made.id])
                let again = try await engine.create(
                    name: "x",
                    settings: .busybox(),
                    key: "k",
                    launch: Self.launch
                )
                #expect(again.id == made.id)
                #expect(bench.supervisor.state.withLock { $0.containers.count } == 1)
            }
        }
    }

    /// A client whose engine died in the midst asks again when its container has been and gone.
    @Test func aRepeatedCallFindsWhatHasGone() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let settings = ContainerSettings.busybox { $0.autoRemove = true }
            let made = try await engine.create(name: "x", settings: settings, key: "k", launch: Self.launch)
            bench.supervisor.end(made.id, code: 3)
            _ = try await engine.remove("x", force: true, hasEnded: true)
            let again = try await engine.create(name: "x", settings: settings, key: "k", launch: Self.launch)
            #expect(again.id == made.id && again.name == "x")
            try bench.expectNothingLeft()
            // What was only made, or undone, is made again.
            #expect(try await engine.create(name: "x", settings: settings, key: "k").id != made.id)
        }
    }

    /// It is asked for by its name once; the image store says when that means another one.
    @Test func anImageIsLookedUpAgainWhenItsNameHasMoved() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let first = bench.images.state.withLock { $0.image.id }
            for _ in 0..<2 {
                _ = try await engine.create(name: "", settings: .busybox(), launch: Self.launch)
            }
            bench.images.fail("image", .internal)
            _ = try await engine.create(name: "", settings: .busybox(), launch: Self.launch)
            bench.images.state.withLock { $0.failures = [:] }
            let second = "sha256:" + String(repeating: "9", count: 64)
            bench.images.state.withLock { $0.image.id = second }
            let made = try await engine.create(name: "moved", settings: .busybox(), launch: Self.launch)
            let images = try await engine.database.containers().map(\.imageID)
            #expect(images.filter { $0 == first }.count == 3)
            #expect(try await engine.row(made.id.text).imageID == second)
            #expect(images.count == 4)
        }
    }

    /// The supervisor died before its answer, and the next one is asked again when the container has had its time.
    @Test func whatIsOnItsWayOutHasRun() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            bench.supervisor.state.withLock { $0.refusesCreations = true }
            let made = try await engine.create(name: "x", settings: .busybox(), launch: Self.launch)
            #expect(made.name == "x")
        }
    }

    /// It may run: neither shown nor undone, until somebody knows.
    @Test func whatNobodyKnowsOfIsLeftToRepair() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            bench.supervisor.fail("create", .deadlineExceeded)
            bench.supervisor.fail("get", .deadlineExceeded)
            await #expect(throws: PeerError.self) {
                try await engine.create(name: "x", settings: .busybox(), launch: Self.launch)
            }
            #expect(bench.images.state.withLock { $0.snapshots.count } == 1)
            #expect(engine.isRepairWanted.withLock { $0 })
            #expect(try await engine.list(all: true, filters: []).isEmpty)
            #expect(await engine.repair())
            try bench.expectNothingLeft()
        }
    }

    /// The caller is told of it first.
    @Test(arguments: [nil, launch])
    func whatWasMadeIsOnTheDiskSoon(_ launch: Engine.Launch?) async throws {
        try await withBench { bench in
            try await bench.running { engine in
                let made = try await engine.create(name: "x", settings: .busybox(), launch: launch)
                try await eventually { try await engine.database.containers().allSatisfy(\.isSettled) }
                #expect(bench.images.state.withLock { $0.provisional.isEmpty })
                #expect(bench.supervisor.state.withLock { $0.kept } == [made.id])
            }
        }
    }

    /// The image store cannot write just now.
    @Test(arguments: [nil, launch])
    func whatCannotBeKeptIsKeptLater(_ launch: Engine.Launch?) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "x", settings: .busybox(), launch: launch)
            bench.images.fail("keep", .resourceExhausted)
            #expect(await !engine.repair())
            #expect(try await engine.list(all: true, filters: []).map(\.id) == [made.id])
            #expect(bench.images.state.withLock { !$0.provisional.isEmpty })
            #expect(await engine.repair())
            #expect(bench.images.state.withLock { $0.provisional.isEmpty })
            #expect(try await engine.database.containers().allSatisfy(\.isSettled))
        }
    }

    /// What is recorded of a stop must not be lost with the container; a broken disk keeps nobody from stopping it.
    @Test(arguments: [true, false])
    func whoStopsItHasItKeptBefore(_ isBroken: Bool) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "x", settings: .busybox(), launch: Self.launch)
            if isBroken { bench.images.fail("keep", .internal) }
            #expect(try await engine.stop("x", timeoutSeconds: 0, signal: "") == made.id)
            #expect(bench.supervisor.state.withLock { $0.kept } == [made.id])
            #expect(try await engine.database.containers().allSatisfy(\.isSettled) == !isBroken)
        }
    }

    @Test func aStartThatFailsLeavesTheContainer() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            bench.supervisor.fail("start", .internal)
            // The fake's start fails before it has begun: nothing is left.
            await #expect(throws: PeerError.self) {
                try await engine.create(name: "x", settings: .busybox(), launch: Self.launch)
            }
            try bench.expectNothingLeft()
            bench.supervisor.state.withLock { $0.startsToFail = 127 }
            await #expect {
                try await engine.create(name: "x", settings: .busybox(), launch: Self.launch)
            } throws: { error in
                guard case EngineError.startFailed(_, let code, _)? = error as? EngineError else {
                    return false
                }
                return code == 127
            }
            #expect(try await engine.list(all: true, filters: []).count == 1)
        }
    }

    /// Its output would be gone before anybody could ask for it.
    @Test func whatRemovesItselfWaitsForWhoWantsItsOutput() async throws {
        let readers = OutputReaders()
        let (read, unread) = (ContainerID.random(), ContainerID.random())
        readers.expect(read)
        readers.expect(unread)
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await readers.waitUntilGone(read, atMost: .seconds(60))
                return true
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(50))
                return false
            }
            #expect(await group.next() == false)
            readers.enter(read)
            readers.leave(read)
            #expect(await group.next() == true)
        }
        readers.stopExpecting(unread)
        await readers.waitUntilGone(unread, atMost: .seconds(60))
    }
}
