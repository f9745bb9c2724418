// SPDX-License-Identifier: Apache-2.0
import Events
import Synchronization
import System
import TestSupport
import Testing

@testable import EngineCore

/// Exec over a keeper's stream socket, which the test serves itself.
struct ExecTests {
    private struct Heard: Sendable {
        var output: [UInt32: String] = [:]
        var accepted: [UInt64] = []
        var code: UInt32?
        var id = ""
    }

    private static func frame(_ kind: UInt8, _ payload: [UInt8] = [], claiming count: Int? = nil) -> [UInt8] {
        let size = UInt32(count ?? payload.count)
        return [kind, 0, 0, 0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
            + payload
    }

    private static func frame(_ kind: UInt8, _ text: String, claiming count: Int? = nil) -> [UInt8] {
        frame(kind, Array(text.utf8), claiming: count)
    }

    private static func state(_ accepted: UInt64, _ delivered: UInt64) -> [UInt8] {
        frame(
            0,
            [accepted, delivered].flatMap { number in
                (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
            }
        )
    }

    /// A keeper's connection, taken and greeted.
    private struct Served {
        let connection: SharedDescriptor
        let greeting: String
        let bench: Bench

        init(_ listener: SharedDescriptor, _ bench: Bench) async throws {
            self.bench = bench
            try await bench.poller.readable(listener)
            connection = SharedDescriptor(try StreamSocket.accept(listener.raw, nonBlocking: true))
            let size = try await Self.read(4, connection, bench)[0]
            greeting = String(decoding: try await Self.read(Int(size), connection, bench), as: UTF8.self)
        }

        func send(_ bytes: [UInt8]) throws { try Files.writeAll(connection.raw, bytes) }

        /// The next frame from the engine.
        func frame() async throws -> (kind: UInt8, payload: [UInt8]) {
            let header = try await Self.read(8, connection, bench)
            let count = header[4...].reduce(0) { $0 << 8 | Int($1) }
            return (header[0], try await Self.read(count, connection, bench))
        }

        private static func read(_ count: Int, _ connection: SharedDescriptor, _ bench: Bench) async throws
            -> [UInt8]
        {
            var bytes: [UInt8] = []
            while bytes.count < count {
                try await bench.poller.readable(connection)
                let more = try Files.readSome(connection.raw, limit: count - bytes.count)
                guard !more.isEmpty else { throw SystemError("read", code: 104) }
                bytes += more
            }
            return bytes
        }
    }

    private static func withExec(
        opensStdin: Bool = false,
        input: @Sendable @escaping () async throws -> Engine.StreamInput?,
        _ body: (Bench, SharedDescriptor, Shared<Heard>) async throws -> Void
    ) async throws -> Heard {
        try await withBench { bench in
            let listener = SharedDescriptor(
                try UnixSocket.listen(.stream, at: bench.root + "/stream.sock", nonBlocking: true)
            )
            let engine = try bench.engine()
            _ = try await engine.create(name: "x", settings: .busybox())
            _ = try await engine.start("x")
            var settings = ExecSettings()
            settings.command = ["date"]
            settings.opensStdin = opensStdin
            let heard = Shared(Heard())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [settings] in
                    try await engine.exec(in: "x", settings, input: input) { notice in
                        heard.withLock { heard in
                            switch notice {
                            case .started(let id): heard.id = id
                            case .output(let stream, let bytes):
                                heard.output[stream, default: ""] += String(decoding: bytes, as: UTF8.self)
                            case .input(let accepted): heard.accepted.append(accepted)
                            case .exit(let code, _): heard.code = code
                            }
                        }
                    }
                }
                try await body(bench, listener, heard)
                try await group.waitForAll()
            }
            return heard.withLock { $0 }
        }
    }

    @Test(
        arguments: [
            ("start_failed", "cwd", 126), ("program_not_executable", "execve", 126),
            ("program_not_found", "execve", 127),
        ] as [(String, String, UInt32)]
    )
    func whatKeepsAnExecFromItsProgramIsItsCode(
        _ reason: String,
        _ step: String,
        _ code: UInt32
    ) async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            _ = try await engine.create(name: "x", settings: .busybox())
            _ = try await engine.start("x")
            let failure = PeerError(
                daemon: "supervisor",
                kind: .failedPrecondition,
                message: "",
                detail: PeerError.Detail(
                    reason: reason,
                    subject: step,
                    path: "/x",
                    errorNumber: 2,
                    advice: ""
                )
            )
            bench.supervisor.state.withLock { $0.failures["exec"] = failure }
            let id = ContainerID.random()
            await #expect(throws: EngineError.execFailed(id, code: code, reason: "\(step) /x: ENOENT")) {
                var settings = ExecSettings()
                settings.command = ["pwd"]
                try await engine.exec(in: "x", as: id.text, settings, input: { nil }, receive: { _ in })
            }
        }
    }

    @Test func outputGoesOnAfterTheLastByteOfABrokenConnection() async throws {
        let heard = try await ExecTests.withExec(input: { nil }) { bench, listener, _ in
            // The keeper dies in the middle of a frame, then in the middle of a header.
            let first = try await Served(listener, bench)
            #expect(first.greeting == "0/0/false")
            try first.send(ExecTests.frame(1, "one ") + ExecTests.frame(1, "tw", claiming: 10))
            UnixSocket.shutDownSending(first.connection.raw)
            let second = try await Served(listener, bench)
            #expect(second.greeting == "6/0/false")
            try second.send(ExecTests.frame(1, "o ") + ExecTests.frame(2, "err") + [1, 0, 0])
            UnixSocket.shutDownSending(second.connection.raw)
            let third = try await Served(listener, bench)
            #expect(third.greeting == "8/3/false")
            bench.supervisor.endExecs(code: 5)
            try third.send(ExecTests.frame(1, "three") + ExecTests.frame(3))
            UnixSocket.shutDownSending(third.connection.raw)
        }
        #expect(heard.output == [1: "one two three", 2: "err"] && heard.code == 5)
    }

    @Test func inputThatWasNotAcceptedGoesOutAgain() async throws {
        let pieces = Shared<[Engine.StreamInput]>([
            .bytes(Array("first".utf8)), .bytes(Array("second".utf8)), .end,
        ])
        let input: @Sendable () async throws -> Engine.StreamInput? = {
            if let piece = pieces.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return piece }
            try await Task.sleep(for: .seconds(100))
            return nil
        }
        let heard = try await ExecTests.withExec(opensStdin: true, input: input) { bench, listener, heard in
            let first = try await Served(listener, bench)
            #expect(first.greeting == "0/0/true")
            try first.send(ExecTests.state(0, 0))
            var got: [UInt8] = []
            while got.count < 11 { got += try await first.frame().payload }
            #expect(got == Array("firstsecond".utf8))
            try first.send(ExecTests.state(7, 5))
            try await eventually { heard.withLock { $0.accepted.last == 7 } }
            UnixSocket.shutDownSending(first.connection.raw)
            let second = try await Served(listener, bench)
            try second.send(ExecTests.state(8, 8))
            let again = try await second.frame()
            #expect(again.kind == 0 && again.payload == Array("ond".utf8))
            #expect(try await second.frame().kind == 3)
            bench.supervisor.endExecs(code: 0)
            try second.send(ExecTests.frame(3))
            UnixSocket.shutDownSending(second.connection.raw)
        }
        #expect(heard.accepted == [0, 7, 8] && heard.code == 0)
    }

    @Test func acknowledgementsArePassedOnAndNeverTooFar() async throws {
        let acknowledged = Shared(false)
        let input: @Sendable () async throws -> Engine.StreamInput? = {
            while !acknowledged.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
            acknowledged.withLock { $0 = false }
            return .acknowledged(StreamPositions(output: 99, error: 0))
        }
        _ = try await ExecTests.withExec(input: input) { bench, listener, heard in
            let served = try await Served(listener, bench)
            try served.send(ExecTests.frame(1, "12345"))
            try await eventually { heard.withLock { $0.output[1] == "12345" } }
            try await Task.sleep(for: .milliseconds(20))
            acknowledged.withLock { $0 = true }
            let frame = try await served.frame()
            #expect(frame.kind == 1 && frame.payload == [5, 0, 0, 0, 0, 0, 0, 0])
            bench.supervisor.endExecs(code: 0)
            try served.send(ExecTests.frame(3))
            UnixSocket.shutDownSending(served.connection.raw)
        }
    }

    @Test func inputBeyondItsBoundEndsTheCall() async throws {
        let input: @Sendable () async throws -> Engine.StreamInput? = {
            .bytes([UInt8](repeating: 1, count: 60_000))
        }
        await #expect(throws: EngineError.self) {
            _ = try await ExecTests.withExec(opensStdin: true, input: input) { _, _, _ in }
        }
    }

    @Test func aDetachedExecIsLeftAlone() async throws {
        try await withBench { bench in
            try await bench.running { engine in
                _ = try await engine.create(name: "x", settings: .busybox())
                _ = try await engine.start("x")
                var settings = ExecSettings()
                settings.command = ["date"]
                settings.isDetached = true
                try await engine.exec(in: "x", settings, input: { nil }, receive: { _ in })
            }
        }
    }

    @Test func aRepeatedExecStartsNothingAgain() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            _ = try await engine.create(name: "x", settings: .busybox())
            _ = try await engine.start("x")
            var settings = ExecSettings()
            settings.command = ["date"]
            settings.isDetached = true
            let id = ContainerID.random().text
            for _ in 1...2 {
                try await engine.exec(in: "x", as: id, settings, input: { nil }, receive: { _ in })
            }
            let container = try await engine.row("x").id
            let begun = try await engine.database.read { db in try ExecRow.ids(db, of: container) }
            #expect(begun.map(\.text) == [id])
            // Nor does its container have to run for that: it may be what ended it.
            bench.supervisor.end(container, code: 0)
            try await engine.exec(in: "x", as: id, settings, input: { nil }, receive: { _ in })
            settings.command = ["another"]
            for (id, wrong) in [(id, settings), ("1", settings)] {
                await #expect(throws: EngineError.self) {
                    try await engine.exec(in: "x", as: id, wrong, input: { nil }, receive: { _ in })
                }
            }
        }
    }

    @Test func anUnknownExecIsNotResumed() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            _ = try await engine.create(name: "x", settings: .busybox())
            await #expect(throws: EngineError.execNotFound("abc")) {
                try await engine.resumeExec(
                    "abc",
                    of: "x",
                    from: StreamPositions(),
                    input: { nil },
                    receive: { _ in }
                )
            }
        }
    }
}
