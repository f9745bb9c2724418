// SPDX-License-Identifier: Apache-2.0
import GRDB
import Synchronization
import System
import Testing

@testable import EngineCore

/// What is left when a step fails or the engine dies in the midst, and what becomes of it.
struct RepairTests {
    @Test(arguments: ["image", "prepare", "create"])
    func aStepThatFailsIsUndone(_ step: String) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            if step == "create" { bench.supervisor.fail(step, .resourceExhausted) }
            bench.images.fail(step, .dataLoss)
            await #expect(throws: PeerError.self) { try await engine.create(name: "x", settings: .busybox()) }
            try bench.expectNothingLeft()
            bench.images.state.withLock { $0.failures = [:] }
            _ = try await engine.create(name: "x", settings: .busybox())
        }
    }

    @Test func whatCannotBeUndoneNowIsUndoneLater() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            bench.supervisor.fail("create", .internal)
            bench.images.fail("remove", .unavailable)
            await #expect(throws: PeerError.self) { try await engine.create(name: "x", settings: .busybox()) }
            #expect(try await engine.list(all: true, filters: []).isEmpty)
            #expect(await engine.repair())
            try bench.expectNothingLeft()
        }
    }

    /// A row as an engine leaves it that dies after having written it.
    private func leave(_ state: ContainerRow.State, _ bench: Bench) async throws -> ContainerRow {
        let engine = try bench.engine()
        let made = try await engine.create(name: "left", settings: .busybox())
        // What was started would be made by now.
        if state != .creating { _ = try await engine.start("left") }
        var row = try await engine.row("left")
        _ = try await engine.database.write { db in
            try ContainerRow.move(db, made.id, from: .created, to: state)
        }
        row.state = state
        try engine.database.close()
        return row
    }

    @Test(arguments: [ContainerRow.State.creating, .removing])
    func theNextEngineFinishesWhatWasBegun(_ state: ContainerRow.State) async throws {
        try await withBench { bench in
            let row = try await leave(state, bench)
            try await bench.running { engine in
                #expect(try await engine.list(all: true, filters: []).isEmpty)
                let told = try await engine.database.read { db in try EventTable.after(db, 0, limit: 100) }
                #expect(told.contains { $0.action == "destroy" } == (state == .removing))
                #expect(try await engine.database.read { db in try Tombstone.one(db, id: row.id) } != nil)
            }
            try bench.expectNothingLeft()
        }
    }

    /// Nobody asked for it to be killed: it was started between the question and the mark, and the engine died there.
    @Test func aRemovalThatNobodyForcedLeavesARunningContainer() async throws {
        try await withBench { bench in
            _ = try await leave(.removingUnlessRunning, bench)
            try await bench.running { engine in
                #expect(try await engine.list(all: true, filters: []).map(\.status) == [.running])
                _ = try await engine.stop("left", timeoutSeconds: nil, signal: "")
            }
            #expect(bench.supervisor.state.withLock { !$0.containers.isEmpty })
        }
    }

    @Test func aRemovalThatNobodyForcedIsFinishedWhereNothingRuns() async throws {
        try await withBench { bench in
            let row = try await leave(.removingUnlessRunning, bench)
            bench.supervisor.end(row.id, code: 0)
            try await bench.running { engine in
                let listed = try await engine.list(all: true, filters: [])
                #expect(listed.isEmpty)
            }
            try bench.expectNothingLeft()
        }
    }

    /// What was half done when repair read it may have been finished since: it is nobody's leftover.
    @Test func whatIsBeingMadeIsNotUndone() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<60 {
                            let made = try await engine.create(name: "", settings: .busybox())
                            _ = try await engine.row(made.id.text)
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<200 { _ = await engine.repair() }
                }
                try await group.waitForAll()
            }
            let listed = try await engine.list(all: true, filters: [])
            #expect(listed.count == 240)
            #expect(bench.supervisor.state.withLock { $0.containers.count } == 240)
        }
    }

    /// What a list remembers of rows is no more than what the database has.
    @Test func aListShowsWhatWasChanged() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            for name in ["a", "b"] { _ = try await engine.create(name: name, settings: .busybox()) }
            #expect(try await engine.database.containers().map(\.name).sorted() == ["a", "b"])
            let row = try await engine.row("a")
            try await engine.database.write { db in
                var settings = row.settings
                settings.image = "changed"
                try ContainerRow.setSettings(db, row.id, settings)
                try ContainerRow.rename(db, row.id, to: "c")
            }
            let rows = try await engine.database.containers()
            let changed = try #require(rows.first { $0.id == row.id })
            #expect(changed.name == "c" && changed.settings.image == "changed")
            _ = try await engine.remove("b", force: true)
            #expect(try await engine.database.containers().map(\.name) == ["c"])
        }
    }

    @Test func oneThatCannotBeFinishedKeepsNoOtherFromIt() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            for name in ["first", "second"] {
                let made = try await engine.create(name: name, settings: .busybox())
                _ = try await engine.database.write { db in
                    try ContainerRow.move(db, made.id, from: .created, to: .removing)
                }
            }
            let late = ContainerID.random()
            try Files.makeDirectories(engine.filesDirectory(of: late))
            bench.supervisor.fail("delete", .internal)
            #expect(await !engine.repair())
            #expect(try await engine.list(all: true, filters: []).count == 1)
            let leftover = engine.filesDirectory(of: late)
            #expect(!Files.exists(leftover))
            #expect(await engine.repair())
            try bench.expectNothingLeft()
        }
    }

    @Test func strangersStayAndLateArrivalsGo() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let late = try await engine.create(name: "late", settings: .busybox())
            let order = try #require(bench.supervisor.state.withLock { $0.orders[late.id] })
            _ = try await engine.remove("late", force: false)
            // A request of a dead engine arrives after the undoing.
            _ = try await bench.supervisor.create(order)
            _ = try await bench.images.prepareSnapshot(late.id, of: "busybox", called: "", .lasting)
            let stranger = ContainerID.random()
            _ = try await bench.images.prepareSnapshot(
                stranger,
                of: "busybox",
                called: "",
                .lasting
            )
            #expect(await engine.repair())
            #expect(bench.supervisor.state.withLock { $0.containers.isEmpty })
            #expect(bench.images.state.withLock { $0.snapshots } == [stranger.text])
        }
    }

    /// A power failure took the row and left the snapshot.
    @Test func aProvisionalSnapshotGoesWithoutARow() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "c", settings: .busybox())
            let lost = ContainerID.random()
            _ = try await bench.images.prepareSnapshot(lost, of: "busybox", called: "", .provisional)
            #expect(await engine.repair())
            #expect(bench.images.state.withLock { $0.snapshots } == [made.id.text])
        }
    }

    /// A creation was cut off before its row was written; or the engine's database was lost, and the container runs.
    @Test(arguments: [true, false])
    func aTransientSnapshotGoesWithoutARowUnlessItsContainerIsThere(_ isThere: Bool) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let lost = ContainerID.random()
            _ = try await bench.images.prepareSnapshot(lost, of: "busybox", called: "", .transient)
            if isThere {
                bench.supervisor.state.withLock {
                    $0.containers[lost] = SupervisedContainer(id: lost, phase: .running)
                }
            }
            #expect(await engine.repair())
            #expect(bench.images.state.withLock { $0.snapshots } == (isThere ? [lost.text] : []))
        }
    }

    @Test(arguments: [true, false])
    func aCreationThatFailsAtItsRowLeavesNothing(_ autoRemove: Bool) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "taken", settings: .busybox())
            var settings = ContainerSettings.busybox()
            settings.autoRemove = autoRemove
            for launch in [nil, Engine.Launch(wantsOutput: false)] {
                await #expect(throws: EngineError.nameTaken("taken", holder: made.id)) {
                    try await engine.create(name: "taken", settings: settings, launch: launch)
                }
            }
            #expect(bench.images.state.withLock { $0.snapshots } == [made.id.text])
            #expect(try Files.names(in: engine.directory + "/containers") == [made.id.text])
            #expect(bench.supervisor.state.withLock { Array($0.containers.keys) } == [made.id])
        }
    }

    /// Whether its caller was told is not known after a boot: what was started before is there, whatever was lost of it.
    @Test(arguments: [ContainerRow.State.creating, .created], ["", "snapshot", "supervised", "both"])
    func whatAPowerFailureTookIsMadeAgain(_ state: ContainerRow.State, _ lost: String) async throws {
        let losesSnapshot = ["snapshot", "both"].contains(lost)
        let losesSupervised = ["supervised", "both"].contains(lost)
        try await withBench { bench in
            let engine = try bench.engine()
            let launch = Engine.Launch(wantsOutput: false)
            let settings = ContainerSettings.busybox { $0.restart.mode = .always }
            let made = try await engine.create(name: "c", settings: settings, key: "k", launch: launch)
            try await engine.database.write { db in
                try db.execute(
                    sql: "UPDATE containers SET boot = 'earlier', state = ?",
                    arguments: [state.rawValue]
                )
            }
            bench.supervisor.update(made.id) { $0.phase = .exited }
            if losesSnapshot { bench.images.state.withLock { $0.snapshots = [] } }
            if losesSupervised { bench.supervisor.state.withLock { $0.containers = [:] } }
            #expect(await engine.repair())
            let rows = try await engine.database.containers()
            #expect(rows.map(\.id) == [made.id])
            #expect(rows.allSatisfy { $0.isSettled && $0.state == .created })
            #expect(bench.images.state.withLock { $0.snapshots } == [made.id.text])
            #expect(bench.images.state.withLock { $0.provisional.isEmpty })
            let state = bench.supervisor.state.withLock { $0 }
            #expect(Array(state.containers.keys) == [made.id] && state.kept == [made.id])
            // Its policy is the supervisor's to carry out where that still has it.
            let isAgain = losesSnapshot || losesSupervised
            #expect(state.containers[made.id]?.phase == (isAgain ? .running : .exited))
        }
    }

    /// The supervisor's policy started it before its root was known to be lost.
    @Test func whatRunsWithoutItsSnapshotIsMadeAgain() async throws {
        try await withBench { bench in
            let (engine, made) = try await Self.afterBoot(bench, restart: .always)
            bench.images.state.withLock { $0.snapshots = [] }
            let count = bench.supervisor.state.withLock { $0.calls.filter { $0 == "create" }.count }
            #expect(await engine.repair())
            let state = bench.supervisor.state.withLock { $0 }
            #expect(state.calls.filter { $0 == "create" }.count == count + 1)
            #expect(state.containers[made]?.phase == .running && state.kept == [made])
            #expect(bench.images.state.withLock { $0.snapshots } == [made.text])
        }
    }

    /// The engine was killed in between; or its program cannot be executed any more, which is how a run ends.
    @Test(arguments: [0, UInt32(127)])
    func whatWasMadeAgainIsStarted(_ code: UInt32) async throws {
        try await withBench { bench in
            let (engine, made) = try await Self.afterBoot(bench, restart: .onFailure)
            bench.supervisor.update(made) { ($0.phase, $0.run) = (.created, 0) }
            bench.supervisor.state.withLock { $0.startsToFail = code }
            #expect(await engine.repair())
            #expect(try await engine.database.containers().allSatisfy(\.isSettled))
            let state = bench.supervisor.state.withLock { $0.containers[made] }
            #expect(state?.run == 1 && state?.exit?.code ?? 0 == code)
        }
    }

    /// What was promised is not undone because it cannot be had just now.
    @Test(arguments: [PeerError.Kind.failedPrecondition, .unavailable])
    func whatCannotBeMadeAgainNowIsMadeLater(_ kind: PeerError.Kind) async throws {
        try await withBench { bench in
            let (engine, made) = try await Self.afterBoot(bench)
            bench.supervisor.state.withLock { $0.containers = [:] }
            bench.supervisor.fail("create", kind)
            #expect(await !engine.repair())
            #expect(try await engine.database.containers().map(\.state) == [.created])
            #expect(await engine.repair())
            #expect(bench.supervisor.state.withLock { $0.kept } == [made])
            #expect(try await engine.database.containers().allSatisfy(\.isSettled))
        }
    }

    @Test func whatHasNoImageAnyMoreIsStillThere() async throws {
        try await withBench { bench in
            let (engine, made) = try await Self.afterBoot(bench)
            bench.images.state.withLock { $0.snapshots = [] }
            bench.images.fail("prepare", .notFound)
            #expect(await engine.repair())
            let rows = try await engine.database.containers()
            #expect(rows.map(\.id) == [made] && rows.allSatisfy { $0.isSettled && $0.state == .created })
        }
    }

    /// With one container, `c`, that was started before the machine's power failed.
    private static func afterBoot(
        _ bench: Bench,
        restart: ContainerSettings.RestartPolicy.Mode = .no
    ) async throws -> (Engine, ContainerID) {
        let engine = try bench.engine()
        let settings = ContainerSettings.busybox { $0.restart.mode = restart }
        let launch = Engine.Launch(wantsOutput: false)
        let made = try await engine.create(name: "c", settings: settings, launch: launch)
        try await engine.database.write { db in
            try db.execute(sql: "UPDATE containers SET boot = 'earlier', state = 'creating'")
        }
        return (engine, made.id)
    }

    @Test func whatIsLeftOfACreationOfAnEarlierBootIsUndone() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            _ = try await engine.create(name: "c", settings: .busybox())
            try await engine.database.write { db in
                try db.execute(sql: "UPDATE containers SET boot = 'earlier', state = 'creating'")
            }
            #expect(await engine.repair())
            try bench.expectNothingLeft()
        }
    }

    /// Its caller was told that it failed, and the engine was killed before all of it was undone.
    @Test func whatWasGivenUpIsUndoneThoughItRuns() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let launch = Engine.Launch(wantsOutput: false)
            let made = try await engine.create(name: "c", settings: .busybox(), launch: launch)
            try await engine.database.write { db in
                try db.execute(sql: "UPDATE containers SET state = 'creating'")
                try ContainerRow.giveUp(db, made.id)
            }
            #expect(await engine.repair())
            #expect(try await engine.database.containers().isEmpty)
            try bench.expectNothingLeft()
        }
    }

    /// Its row was written after the rows had been read.
    @Test func aSnapshotWhoseRowIsNewIsLeftAlone() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            // One that is looked for between.
            let vanished = try await engine.create(name: "v", settings: .busybox { $0.autoRemove = true })
            bench.supervisor.state.withLock { $0.containers = [:] }
            let late = try await engine.create(name: "late", settings: .busybox())
            let row = try await engine.row("late")
            try await engine.database.write { db in
                try db.execute(sql: "DELETE FROM containers WHERE id = ?", arguments: [late.id.text])
            }
            bench.supervisor.state.withLock { state in
                state.containers = [:]
                state.atGet = { try? await engine.database.write { try engine.database.insert(row, $0) } }
            }
            _ = await engine.repair()
            let snapshots = bench.images.state.withLock { $0.snapshots }
            #expect(snapshots.contains(late.id.text) && !snapshots.contains(vanished.id.text))
        }
    }

    /// The image store was killed before it wrote down what it had promised.
    @Test func aSettledContainersSnapshotIsMadeToLast() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "c", settings: .busybox())
            bench.images.state.withLock { $0.provisional = [made.id.text] }
            #expect(await engine.repair())
            #expect(bench.images.state.withLock { $0.provisional.isEmpty })
            #expect(bench.images.state.withLock { $0.snapshots } == [made.id.text])
        }
    }

    @Test func aPeerThatIsAwayIsNoReasonToGiveUp() async throws {
        try await withBench { bench in
            _ = try await leave(.removing, bench)
            bench.supervisor.fail("delete", .unavailable)
            bench.images.fail("remove", .unavailable)
            try await bench.running { engine in
                let listed = try await engine.list(all: true, filters: [])
                #expect(listed.isEmpty)
            }
            try bench.expectNothingLeft()
        }
    }

    @Test func aNewerSchemaIsRefusedAndAnOlderOneCopied() async throws {
        try await withBench { bench in
            let path = bench.root + "/engine/engine.db"
            _ = try bench.engine()
            let queue = try DatabaseQueue(path: path)
            try await queue.write { db in try db.execute(sql: "PRAGMA user_version = 99") }
            #expect(throws: EngineError.newerSchema(found: 99, known: Schema.steps.count)) {
                try bench.engine()
            }
            #expect(Files.exists(path))
        }
    }

    @Test func aDamagedDatabaseIsNotReplaced() async throws {
        try await withBench { bench in
            let path = bench.root + "/engine/engine.db"
            try Files.makeDirectories(bench.root + "/engine")
            let damaged = Array(repeating: UInt8(7), count: 8192)
            try Files.replace(path, with: damaged)
            #expect(throws: EngineError.self) { try bench.engine() }
            #expect(try Files.contents(of: path) == damaged)
        }
    }
}
