// SPDX-License-Identifier: Apache-2.0
import JSON
import Messages
import RPC
import Rendering
import Services
import Synchronization
import System

/// One run of a container with us looking on: its output is ours, our signals are its, its exit code is ours.
///
/// The run does not depend on it: should the engine or this program go, the container stays. When the engine comes back,
/// the output goes on after the last byte shown, and the exit code is asked for again.
struct Attachment: Sendable {
    let engine: EngineConnection
    /// Id or name, for calls.
    let container: String
    /// For messages.
    let name: String
    /// Whether it is removed at its end, which is then waited for.
    let isRemovedAtEnd: Bool

    /// Starts the container and stays until this run has ended.
    /// - Parameter fromNow: Leaves out what earlier runs have written.
    /// - Returns: The container's exit code.
    func startAndFollow(fromNow: Bool) async throws -> Int32 {
        let signals = Signals.shared.taken()
        let forwarding = Task { await forward(signals) }
        defer { forwarding.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
            let firstReading = FirstReading()
            group.addTask {
                defer { beginning.finish() }
                var output = OutputFollower(engine: engine, request: request(fromNow: fromNow))
                try await output.run(endsWhenRemoved: true) { beginning.yield() }
                firstReading.end(at: output)
            }
            // Only a reading that has begun sees all of a container that is removed with its end.
            for await _ in begun { break }
            try await engine.start(container, called: name, isNew: !fromNow)
            // One that had run before: there was no run to follow yet. Harmless when this run is over already.
            if var output = firstReading.ended { try await output.run(endsWhenRemoved: true) {} }
            try await group.waitForAll()
        }
        return try await exitCode()
    }

    private func request(fromNow: Bool) -> EngineV1.LogsRequest {
        EngineV1.LogsRequest(
            container: container,
            follow: true,
            stdout: true,
            stderr: true,
            tail: fromNow ? 0 : nil,
            untilRunEnds: true
        )
    }

    private func exitCode() async throws(Failure) -> Int32 {
        let condition = isRemovedAtEnd ? "removed" : "not-running"
        let request = EngineV1.WaitRequest(container: container, condition: condition)
        let answer = try await engine.repeating("wait for \(name)") { () async throws(RPCError) in
            try await engine.containers.wait(request)
        }
        if !answer.error.isEmpty { Screen.say("petrel: \(name): \(answer.error)") }
        return Int32(truncatingIfNeeded: answer.exitCode)
    }

    /// Passes our signals on to the container; one that comes when it has ended does nothing.
    private func forward(_ signals: AsyncStream<Signal>) async {
        for await signal in signals {
            let request = EngineV1.KillRequest(container: container, signal: String(signal.rawValue))
            let options = CallOptions(timeout: .seconds(30), waitForReady: true)
            _ = try? await engine.containers.kill(request, options: options)
        }
    }
}

/// Where a reading has ended, as one task tells another.
private final class FirstReading: Sendable {
    private let follower = Mutex<OutputFollower?>(nil)

    var ended: OutputFollower? { follower.withLock { $0 } }

    func end(at output: OutputFollower) { follower.withLock { $0 = output } }
}

extension EngineConnection {
    /// Starts a container; not twice, however often the engine's end interrupts it.
    /// - Parameter isNew: It never ran.
    /// - Throws: for a new one (`run`) with exit code 127 when its program was not found, 126 when it cannot be executed,
    ///   else 125; for one that was there (`start`) with 1, as the Docker command line.
    func start(
        _ container: String,
        called name: String,
        isNew: Bool,
        isRestart: Bool = false
    ) async throws {
        let what = "start \(name)"
        let request = EngineV1.StartRequest(
            container: container,
            key: try Self.newKey(),
            restarted: isRestart
        )
        var interruptions = Interruptions()
        var isRepeated = false
        while true {
            do throws(RPCError) {
                _ = try await containers.start(request)
                return
            } catch {
                // The interrupted attempt did start it, and at its end it was removed, or is being.
                let isGone = error.code == .notFound || error.detail?.reason == "being_removed"
                if isRepeated, isNew, isGone { return }
                guard interruptions.count(error) else {
                    throw failure(what, error, exitCode: isNew ? Self.startExitCode(error) : 1)
                }
                try await comeBack(what, after: error)
                isRepeated = true
            }
        }
    }

    /// What the Docker command line ends with when a program was not found, or cannot be executed.
    static func startExitCode(_ error: RPCError, otherwise: Int32 = 125) -> Int32 {
        guard let reason = error.detail?.reason else { return otherwise }
        if reason.hasSuffix("_failed_not_found") { return 127 }
        return reason.hasSuffix("_failed_not_executable") ? 126 : otherwise
    }
}
