// SPDX-License-Identifier: Apache-2.0
import Events
import System
import TestSupport
import Testing

@testable import EngineCore

/// Exec over a keeper's stream socket, which the test serves itself.
struct ExecTests {
    private struct Heard: Sendable {
        var output: [UInt32: String] = [:]
        var code: UInt32?
        var id = ""
    }

    private static func frame(_ stream: UInt8, _ text: String, claiming count: Int? = nil) -> [UInt8] {
        let size = UInt32(count ?? text.utf8.count)
        return [stream, 0, 0, 0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
            + Array(text.utf8)
    }

    /// Takes one connection, checks its greeting, sends bytes, and closes it.
    private static func serve(_ listener: SharedDescriptor, _ bytes: [UInt8], _ poller: Bench) async throws
        -> [UInt8]
    {
        try await poller.poller.readable(listener)
        let connection = SharedDescriptor(try UnixSocket.accept(listener.raw))
        var greeting: [UInt8] = []
        while greeting.count < 9 { greeting += try Files.readSome(connection.raw, limit: 9 - greeting.count) }
        if !bytes.isEmpty { try Files.writeAll(connection.raw, bytes) }
        return greeting
    }

    @Test func outputSurvivesBrokenConnections() async throws {
        try await withBench { bench in
            let listener = SharedDescriptor(
                try UnixSocket.listen(.stream, at: bench.root + "/stream.sock", nonBlocking: true)
            )
            try await bench.running { engine in
                let made = try await engine.create(name: "x", settings: .busybox())
                _ = try await engine.start("x")
                var settings = ExecSettings()
                settings.command = ["date"]
                let heard = Shared(Heard())
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { [settings] in
                        try await engine.exec(in: "x", settings, input: { nil }) { notice in
                            heard.withLock { heard in
                                switch notice {
                                case .started(let id): heard.id = id
                                case .output(let stream, let bytes):
                                    heard.output[stream, default: ""] += String(
                                        decoding: bytes,
                                        as: UTF8.self
                                    )
                                case .exit(let code, _): heard.code = code
                                }
                            }
                        }
                    }
                    // The keeper dies in the middle of a frame, then in the middle of a header.
                    let first = ExecTests.frame(1, "one ") + ExecTests.frame(1, "tw", claiming: 10)
                    let greeting = try await ExecTests.serve(listener, first, bench)
                    #expect(greeting == [5, 0, 0, 0] + Array("hello".utf8))
                    _ = try await ExecTests.serve(listener, ExecTests.frame(1, "o ") + [1, 0, 0], bench)
                    _ = try await ExecTests.serve(listener, ExecTests.frame(2, "err"), bench)
                    bench.supervisor.endExecs(code: 5)
                    // What was left in the pipe when the process ended, and then nothing more.
                    _ = try await ExecTests.serve(listener, ExecTests.frame(1, "three"), bench)
                    while !group.isEmpty, heard.withLock({ $0.code == nil }) {
                        _ = try await ExecTests.serve(listener, [], bench)
                        try await Task.sleep(for: .milliseconds(50))
                    }
                    try await group.waitForAll()
                }
                let all = heard.withLock { $0 }
                #expect(all.output == [1: "one two three", 2: "err"] && all.code == 5)
                let id = all.id
                let row = try await engine.database.read { db in try ExecRow.one(db, id: id, of: made.id) }
                #expect(row?.settings.command == ["date"])
            }
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

    @Test func anUnknownExecIsNotResumed() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            _ = try await engine.create(name: "x", settings: .busybox())
            await #expect(throws: EngineError.execNotFound("abc")) {
                try await engine.resumeExec("abc", of: "x", input: { nil }, receive: { _ in })
            }
        }
    }
}
