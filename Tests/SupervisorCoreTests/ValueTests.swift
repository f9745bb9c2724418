// SPDX-License-Identifier: Apache-2.0
import Events
import Messages
import RuntimeSpec
import SupervisorCore
import System
import Testing

struct ValueTests {
    @Test(
        arguments: [
            (0x2a00, 42, 0), (0x000f, 143, 15), (0x0089, 137, 9), (0, 0, 0),
        ] as [(Int32, UInt32, Int32)]
    )
    func aWaitStatusGivesTheShellsCode(status: Int32, code: UInt32, signal: Int32) {
        let exit = ExitStatus(waitStatus: status, isOutOfMemory: false, atUnixNanos: 1)
        #expect(exit.code == code)
        #expect(exit.signal == signal)
        #expect(exit.isKnown)
    }

    @Test func anUnknownStatusIs255() {
        let exit = ExitStatus(waitStatus: nil, isOutOfMemory: false, atUnixNanos: 1)
        #expect(exit.code == 255)
        #expect(!exit.isKnown)
    }

    @Test(
        arguments: [
            ("execve", 2, 127), ("execve", 13, 126), ("execve", 8, 126), ("mount", 2, 125), ("gate", 0, 125),
        ] as [(String, Int32, UInt32)]
    )
    func aFailedStartHasTheShellsCode(step: String, errno: Int32, code: UInt32) {
        #expect(StartFailure(step: step, path: "", errno: errno).code == code)
    }

    @Test(arguments: [
        "", "abc", String(repeating: "A", count: 64), String(repeating: "g", count: 64), "../x",
    ])
    func onlyHexadecimalDigitsAreAnID(text: String) {
        #expect(ContainerID(text) == nil)
    }

    @Test func custodyNamesAreReadBack() throws {
        let id = try #require(ContainerID(String(repeating: "0", count: 64)))
        for holder in [Custody.Holder.run(12), .exec(String(repeating: "e", count: 64))] {
            let key = Custody.Key(holder: holder, role: .stdoutRead)
            let name = CustodyName.text(id, key)
            #expect(name.utf8.count < 255)
            let parsed = try #require(CustodyName.parse(name))
            #expect(parsed.container == id)
            #expect(parsed.key == key)
        }
        #expect(CustodyName.parse("supervisor") == nil)
    }

    @Test func whatIsHeldIsHeldOnce() throws {
        var custody = Custody()
        for run: UInt64 in [1, 2] {
            let pipe = SharedDescriptor(try Pipe().readEnd.duplicate())
            let isNew = custody.hold(pipe, Custody.Key(holder: .run(run), role: .stdoutRead))
            let isNewAgain = custody.hold(pipe, Custody.Key(holder: .run(run), role: .stdoutRead))
            #expect(isNew && !isNewAgain)
        }
        let dropped = custody.drop { $0.holder == .run(1) }
        #expect(dropped.count == 1)
        #expect(custody.held.count == 1)
    }

    @Test func aConfigurationGetsItsPlaces() throws {
        let text = Array(
            #"{"ociVersion":"1.2.0","process":{"args":["a"],"cwd":"/"},"root":{"path":"x","readonly":true}}"#
                .utf8
        )
        let made = try RuntimeConfiguration(text, cgroupPath: "petrel/1", rootPath: "/r")
        #expect(made.specification.root?.path == "/r")
        #expect(made.specification.root?.isReadOnly == true)
        #expect(made.specification.linux.cgroupsPath == "/petrel/1")
        #expect(throws: SupervisorError.self) {
            _ = try RuntimeConfiguration(Array("{}".utf8), cgroupPath: "a", rootPath: "/r")
        }
        #expect(throws: SupervisorError.self) {
            _ = try RuntimeConfiguration(Array("[".utf8), cgroupPath: "a", rootPath: "/r")
        }
    }

    @Test func equalRequestsHaveEqualRecords() throws {
        let id = try #require(ContainerID(String(repeating: "1", count: 64)))
        var request = ContainerRequest(id: id, owner: "o", key: "k", specification: [1, 2])
        request.annotations = ["b": "2", "a": "1"]
        request.restartPolicy = RestartPolicy(mode: .onFailure, maximumRetries: 3)
        let other = try #require(ContainerID(String(repeating: "2", count: 64)))
        request.joined = [.init(kind: .network, container: other), .init(kind: .ipc, container: other)]
        request.cgroupParent = "/work/batch"
        request.output.dropsWhenFull = true
        let bytes = request.record.serialized()
        #expect(ContainerRequest(try SupervisorV1.RequestRecord(serialized: bytes)) == request)
    }
}

struct WaitingTests {
    @Test func aPollerWakesOnceThereIsSomethingToRead() async throws {
        let poller = try Poller()
        let pipe = try Pipe()
        let reading = SharedDescriptor(try pipe.readEnd.duplicate())
        async let ready: Void = poller.readable(reading)
        try Files.writeAll(pipe.writeEnd.raw, [1])
        try await ready
        poller.stop()
        await #expect(throws: CancellationError.self) { try await poller.readable(reading) }
    }

    @Test func waitsEndWithTheirTask() async throws {
        let poller = try Poller()
        let changes = Changes()
        let pipe = try Pipe()
        let reading = SharedDescriptor(try pipe.readEnd.duplicate())
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await poller.readable(reading)) == nil }
            group.addTask { (try? await changes.wait(beyond: changes.version)) == nil }
            group.cancelAll()
            for await ended in group { #expect(ended) }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aChangeThatCameBeforeIsNotMissed() async throws {
        let changes = Changes()
        let seen = changes.version
        changes.announce()
        try await changes.wait(beyond: seen)
        for wait in 0..<2_000 {
            let deadline = Clock.bootNanos + Int64(wait * 1000)
            try await changes.wait(beyond: changes.version, untilBootNanos: deadline)
            #expect(Clock.bootNanos >= deadline)
        }
    }

    @Test func aKeeperThatLivedForAWhileIsReplacedAtOnce() {
        var pause = KeeperPause()
        let second: Int64 = 1_000_000_000
        #expect(pause.next(afterLifeOf: second) == 0)
        #expect(
            (0..<9).map { _ in pause.next(afterLifeOf: 0) / (second / 10) } == [
                1, 2, 4, 8, 16, 32, 50, 50, 50,
            ]
        )
        #expect(pause.next(afterLifeOf: 5 * second) == 5 * second)
        #expect(pause.next(afterLifeOf: 9 * second) == second)
        #expect(pause.next(afterLifeOf: 2 * second) == 0)
    }
}
