// SPDX-License-Identifier: Apache-2.0
import JSON
import Messages
import RPC
import Rendering
import Services
import Synchronization
import System

/// One run of a container with us looking on: its output is ours, our input and signals are its, its exit code is ours.
///
/// The run does not depend on it: should the engine or this program go, the container stays. When the engine comes back,
/// input and output go on after the last byte, and the exit code is asked for again.
struct Attachment: Sendable {
    struct Streams: Sendable {
        var input = false
        var output = true
        var error = true
    }

    let engine: EngineConnection
    /// Id or name, for calls.
    let container: String
    /// For messages.
    let name: String
    /// Whether it is removed at its end, which is then waited for.
    var isRemovedAtEnd = false
    var streams = Streams()
    var hasTerminal = false
    var keys: DetachKeys
    var forwardsSignals = true

    /// With these users want an end.
    private static let ending: Set<Signal> = [.interrupt, .terminate, .hangUp, .quit]

    /// How a session ends.
    private enum End: Sendable {
        case exited(EngineV1.WaitResponse)
        case detached
        case failed(any Error)
    }

    /// How one of the parts that run side by side ends.
    private enum Part: Sendable {
        /// All output is shown.
        case shown
        case exited(EngineV1.WaitResponse)
        /// With it the session ends.
        case end(End)
        /// Nothing follows from it.
        case other
    }

    /// They answer with their failures: the first use of a group that can throw makes the runtime go through all
    /// of the program's conformances, which every `run` would wait for.
    private typealias Parts = TaskGroup<Part>

    /// Starts the container again and stays until this run has ended, or the user detaches. Leaves out what earlier runs
    /// have written.
    /// - Returns: The container's exit code; 0 after detaching.
    func startAndFollow() async throws -> Int32 {
        try await follow(fromNow: true, hasRunBefore: true, holds: true) {
            try await engine.start(container, called: name)
        }
    }

    /// Stays with a container that was made and started just now, from its first byte.
    func followFirstRun() async throws -> Int32 {
        try await follow(fromNow: false, holds: true, onceRead: nil)
    }

    /// Joins a container that runs. It does not wait for this reader: output that he is too slow for is reported as missing.
    func follow() async throws -> Int32 {
        try await follow(fromNow: true) {
            // What the program draws anew is to be seen.
            if hasTerminal { await Window(engine: engine, container: container).redraw() }
        }
    }

    /// - Parameters:
    ///   - holds: No byte may be missing, even if the container has to wait for that.
    ///   - onceRead: Called when its output is being read.
    private func follow(
        fromNow: Bool,
        hasRunBefore: Bool = false,
        holds: Bool = false,
        onceRead: (() async throws -> Void)?
    ) async throws -> Int32 {
        var forwarding: Task<Void, Never>?
        defer { forwarding?.cancel() }
        defer { Console.restore() }
        let end = await withTaskGroup(of: Part.self) { group -> End in
            defer { group.cancelAll() }
            let (begun, started) = (Milestone(), Milestone())
            Self.add(to: &group) {
                defer { begun.set() }
                try await show(fromNow: fromNow, hasRunBefore: hasRunBefore, holds: holds, begun, started)
                return .shown
            }
            do {
                if let onceRead {
                    // Only a reading that has begun sees all of a container that is removed with its end.
                    try await begun.wait()
                    try await onceRead()
                }
                started.set()
                Self.add(to: &group) { .exited(try await exit()) }
                // Not before: what waits for an engine that does not answer can be interrupted as any command.
                if forwardsSignals { forwarding = forwardSignals() }
                try carryInput(in: &group)
            } catch {
                return .failed(error)
            }
            return await Self.end(of: &group)
        }
        Console.restore()
        return try conclude(end)
    }

    /// Says what the user has to know, and gives the exit code.
    private func conclude(_ end: End) throws -> Int32 {
        switch end {
        case .exited(let response):
            if !response.error.isEmpty { Screen.say("petrel: \(name): \(response.error)") }
            return Int32(truncatingIfNeeded: response.exitCode)
        case .failed(let error):
            throw error
        case .detached:
            // In the words of the Docker command line; also a line's end.
            Screen.say("read escape sequence")
            return 0
        }
    }

    private static func add(to group: inout Parts, _ part: @Sendable @escaping () async throws -> Part) {
        group.addTask {
            do { return try await part() } catch { return .end(.failed(error)) }
        }
    }

    private func carryInput(in group: inout Parts) throws {
        if streams.input {
            if hasTerminal { try Console.enterRaw() }
            let outbox = Outbox()
            Self.add(to: &group) {
                try await outbox.pump(hasTerminal ? keys : nil) ? .end(.detached) : .other
            }
            Self.add(to: &group) {
                try await InputCall(engine: engine, container: container, outbox: outbox).carry()
                return .other
            }
        }
        if hasTerminal {
            group.addTask {
                await Window(engine: engine, container: container).follow()
                return .other
            }
        }
    }

    /// How it ended, once all its output is shown; or that the user went, or what failed first.
    private static func end(of group: inout Parts) async -> End {
        var exit: EngineV1.WaitResponse?
        var isShown = false
        while let part = await group.next() {
            switch part {
            case .shown: isShown = true
            case .exited(let response): exit = response
            case .end(let end): return end
            case .other: continue
            }
            if isShown, let exit { return .exited(exit) }
        }
        return .failed(CancellationError())
    }

    /// Shows the run's output to its end.
    /// - Parameter hasRunBefore: A first reading may have had no run to follow yet, and end by itself.
    private func show(
        fromNow: Bool,
        hasRunBefore: Bool,
        holds: Bool,
        _ begun: Milestone,
        _ started: Milestone
    ) async throws {
        guard streams.output || streams.error else { return }
        let output = OutputFollower(
            engine: engine,
            request: EngineV1.LogsRequest(
                container: container,
                follow: true,
                stdout: streams.output,
                stderr: streams.error,
                untilRunEnds: true,
                fromEnd: fromNow
            ),
            holds: holds,
            isAwaited: isRemovedAtEnd
        )
        try await output.run(endsWhenRemoved: true) { begun.set() }
        begun.set()
        guard hasRunBefore else { return }
        try await started.wait()
        // Harmless when it was this run that was followed, or when it is over already.
        try await output.run(endsWhenRemoved: true)
    }

    private func exit() async throws(Failure) -> EngineV1.WaitResponse {
        let condition = isRemovedAtEnd ? "removed" : "not-running"
        let request = EngineV1.WaitRequest(container: container, condition: condition)
        return try await engine.repeating("wait for \(name)") { () async throws(RPCError) in
            try await engine.containers.wait(request)
        }
    }

    /// Passes our signals on to the container; one that comes when it has ended does nothing. The third that comes while
    /// the engine has not answered for the first in a second ends this program instead, and so does the fourth within some
    /// seconds that has ended nothing: its user must always have a way out.
    private func forwardSignals() -> Task<Void, Never> {
        let signals = Signals.shared.taken()
        let unanswered = Unanswered()
        // Mostly none comes: at once, so that no thread is begun for waiting.
        return Task.immediate {
            let queue = AsyncStream<Signal>.makeStream()
            await withDiscardingTaskGroup { group in
                // In their order, one after the other.
                group.addImmediateTask {
                    for await signal in queue.stream {
                        await pass(signal)
                        unanswered.answered()
                    }
                }
                var insistence = Insistence()
                for await signal in signals {
                    if unanswered.add(), Self.ending.contains(signal) {
                        leave("the engine does not answer; container \(name) is left as it is", signal)
                    }
                    if Self.ending.contains(signal), insistence.add() {
                        leave("container \(name) goes on, whatever signal it gets; left as it is", signal)
                    }
                    queue.continuation.yield(signal)
                }
                queue.continuation.finish()
            }
        }
    }

    private func leave(_ why: String, _ signal: Signal) -> Never {
        Console.restore()
        Screen.say("petrel: \(why)")
        Ending.exit(128 + signal.rawValue)
    }

    private func pass(_ signal: Signal) async {
        let request = EngineV1.KillRequest(container: container, signal: String(signal.rawValue))
        let options = CallOptions(timeout: .seconds(30), waitForReady: true)
        _ = try? await engine.containers.kill(request, options: options)
    }
}

/// How often the user has wanted an end lately.
private struct Insistence {
    private static let limit = 4
    private static let span = Duration.seconds(10)

    private var times: [ContinuousClock.Instant] = []

    /// - Returns: Whether that is enough.
    mutating func add() -> Bool {
        let now = ContinuousClock.now
        times = times.filter { now - $0 < Self.span } + [now]
        return times.count >= Self.limit
    }
}

/// How many signals the engine has not answered for, and for how long.
private final class Unanswered: Sendable {
    private static let patience = Duration.seconds(1)

    private let state = Mutex((count: 0, since: ContinuousClock.now))

    /// - Returns: Whether nobody seems to answer.
    func add() -> Bool {
        state.withLock { state in
            if state.count == 0 { state.since = .now }
            state.count += 1
            return state.count >= 3 && ContinuousClock.now - state.since > Self.patience
        }
    }

    func answered() {
        state.withLock { state in
            state.count -= 1
            state.since = .now
        }
    }
}

extension EngineConnection {
    /// Starts a container that was there; not twice, however often the engine's end interrupts it.
    /// - Throws: with exit code 1, as the Docker command line.
    func start(_ container: String, called name: String, isRestart: Bool = false) async throws {
        let request = EngineV1.StartRequest(
            container: container,
            key: try Self.newKey(),
            restarted: isRestart
        )
        _ = try await repeating("start \(name)") { () async throws(RPCError) in
            try await containers.start(request)
        }
    }

    /// What the Docker command line ends with when a program was not found, or cannot be executed.
    static func startExitCode(_ error: RPCError, otherwise: Int32 = 125) -> Int32 {
        guard let reason = error.detail?.reason else { return otherwise }
        if reason.hasSuffix("_failed_not_found") { return 127 }
        return reason.hasSuffix("_failed_not_executable") ? 126 : otherwise
    }
}
