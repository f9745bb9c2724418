// SPDX-License-Identifier: Apache-2.0
import Events
import Logging
import Suite
import Synchronization
import System
import TestSupport
import Testing

@testable import EngineCore

/// An engine between fake peers, in a folder of its own; it can be "restarted" on the same folder.
struct Bench {
    let root: String
    let supervisor: FakeSupervisor
    let images: FakeImages
    let poller: Poller

    /// A process of the engine: nothing runs in it but what is called.
    func engine() throws -> Engine {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try Engine(
            at: try SuiteLocation(root: root, run: root + "/run"),
            release: "test",
            supervisor: supervisor,
            images: images,
            poller: poller,
            faults: .off,
            logger: logger,
            host: .fake
        )
    }

    /// Runs `body` beside the engine's own tasks, after the first repair.
    func running<Result: Sendable>(_ body: @Sendable @escaping (Engine) async throws -> Result) async throws
        -> Result
    {
        let engine = try engine()
        let ready = AsyncStream<Void>.makeStream()
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try? await engine.run { ready.continuation.finish() }
                return nil
            }
            for await _ in ready.stream {}
            let result = try await body(engine)
            group.cancelAll()
            return result
        }
    }

    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        supervisor.state.withLock { state in
            #expect(state.containers.isEmpty, sourceLocation: sourceLocation)
        }
        images.state.withLock { state in #expect(state.snapshots.isEmpty, sourceLocation: sourceLocation) }
        #expect(try Files.names(in: root + "/engine/containers") == [], sourceLocation: sourceLocation)
    }
}

func withBench<Result>(_ body: (Bench) async throws -> Result) async throws -> Result {
    try await withTemporaryDirectory { path in
        let poller = try Poller()
        defer { poller.stop() }
        let supervisor = FakeSupervisor(outputDirectory: path + "/spool", streamSocket: path + "/stream.sock")
        return try await body(Bench(root: path, supervisor: supervisor, images: FakeImages(), poller: poller))
    }
}

extension ContainerSettings {
    static func busybox(_ change: (inout ContainerSettings) -> Void = { _ in }) -> ContainerSettings {
        var settings = ContainerSettings()
        settings.image = "busybox"
        change(&settings)
        return settings
    }
}

/// Waits until `condition` holds.
func eventually(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<1000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("it did not come true within 5 s", sourceLocation: sourceLocation)
}

/// A value that several tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLock<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
        value.withLock { value in body(&value) }
    }
}
