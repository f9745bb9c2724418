// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization
internal import System

/// The input and output of one process, over as many connections to its keepers as it takes: nothing is lost and nothing
/// comes twice, as both sides count.
///
/// The keeper keeps output until the client has acknowledged it, this side keeps input until the keeper has accepted it;
/// both are bounded. Several tasks use it: one runs `run`, others feed it and wait.
final class KeeperStream: Sendable {
    enum Notice: Sendable {
        case output(stream: UInt32, [UInt8])
        /// The keeper has so many bytes of input.
        case input(accepted: UInt64)
    }

    private struct State {
        var input = UnacceptedInput()
        /// The keeper takes input up to here, on the present connection.
        var inputLimit: UInt64 = 0
        var hasSaidEnd = false
        /// Output that was handed on.
        var received: StreamPositions
        /// Output that the client has acknowledged, and what of that the present connection was told.
        var acknowledged: StreamPositions
        var told: StreamPositions
        var hasOutputEnded = false
        var isClientDone = false
        var hasExited = false
        var isOver = false
    }

    /// How long a keeper may be away after the exit.
    private static let patienceForKeeper = Duration.seconds(10)
    private static let firstPause = Duration.milliseconds(5)

    private let path: String
    private let order: StreamOrder
    private let encode: @Sendable (StreamOrder) -> [UInt8]
    private let poller: Poller
    private let state: Mutex<State>
    private let changes = Changes()

    /// - Parameter encode: Makes bytes of an order.
    init(
        path: String,
        order: StreamOrder,
        poller: Poller,
        encode: @Sendable @escaping (StreamOrder) -> [UInt8]
    ) {
        self.path = path
        self.order = order
        self.encode = encode
        self.poller = poller
        let start = order.positions
        state = Mutex(State(received: start, acknowledged: start, told: StreamPositions()))
    }

    // MARK: - What the others say

    /// The process has ended: no keeper may be away for long any more.
    func noteExit() { change { $0.hasExited = true } }

    /// Input from the client.
    /// - Throws: `.invalidField` when it does not wait for what it has sent to be accepted.
    func append(_ bytes: [UInt8]) throws(EngineError) {
        let fits = change { state in
            guard bytes.count <= state.input.room else { return false }
            state.input.append(bytes)
            return true
        }
        guard fits else {
            let text = "more than \(UnacceptedInput.limit) bytes beyond the accepted position"
            throw .invalidField("stdin", text)
        }
    }

    func endInput() { change { $0.input.end() } }

    func acknowledge(_ positions: StreamPositions) {
        change { $0.acknowledged = $0.acknowledged.advanced(to: positions, within: $0.received) }
    }

    /// The client says nothing more.
    func noteClientDone() { change { $0.isClientDone = true } }

    func waitForOutputEnd() async throws { try await wait { $0.hasOutputEnded } }

    /// Returns when the keeper was told that the client has everything, or of as much as it will ever say.
    func waitUntilAcknowledged() async throws {
        try await wait { state in
            state.isOver
                || state.told.covers(state.acknowledged)
                    && (state.isClientDone || state.acknowledged.covers(state.received))
        }
    }

    @discardableResult
    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let result = state.withLock { body(&$0) }
        changes.announce()
        return result
    }

    private func wait(until condition: (borrowing State) -> Bool) async throws {
        while true {
            let seen = changes.version
            if state.withLock({ condition($0) }) { return }
            try await changes.wait(beyond: seen)
        }
    }

    // MARK: - Connections

    /// Carries input and output until the keeper has let go of the process; rightly endless before its end.
    /// - Throws: `.streamLost` when the process has ended and no keeper gives out its output.
    func run(_ receive: @Sendable @escaping (Notice) async throws -> Void) async throws {
        var pause = Self.firstPause
        var lost: (since: ContinuousClock.Instant, SystemError)?
        defer { change { $0.isOver = true } }
        while true {
            let before = state.withLock { ($0.received, $0.hasExited) }
            do {
                try await converse(try await connect(), receive)
                if state.withLock({ $0.hasOutputEnded }) { return }
                lost = (lost?.since ?? .now, SystemError("read", path: path, code: Self.connectionReset))
            } catch let error as SystemError {
                lost = (lost?.since ?? .now, error)
            }
            let after = state.withLock { $0.received }
            if after != before.0 { (pause, lost) = (Self.firstPause, nil) }
            if before.1, let lost, ContinuousClock.now > lost.since.advanced(by: Self.patienceForKeeper) {
                throw EngineError.streamLost(path, lost.1)
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    private static let connectionReset: Int32 = 104

    private func connect() async throws -> StreamConnection {
        var order = order
        order.positions = change { state in
            state.input.disconnect()
            (state.hasSaidEnd, state.inputLimit, state.told) = (false, 0, StreamPositions())
            return state.received
        }
        return try await StreamConnection(to: path, request: encode(order), poller: poller)
    }

    /// One connection to its end.
    private func converse(
        _ connection: StreamConnection,
        _ receive: @Sendable @escaping (Notice) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await self.read(connection, receive) }
            group.addTask {
                try await self.write(connection)
                // What was sent before it broke can still be read.
                try await Task.sleep(for: .seconds(1))
            }
            _ = try await group.next()
        }
    }

    private func read(
        _ connection: StreamConnection,
        _ receive: @Sendable (Notice) async throws -> Void
    ) async throws {
        var decoder = FrameDecoder()
        while true {
            let bytes = try await connection.read()
            if bytes.isEmpty { return }
            for piece in decoder.feed(bytes) {
                switch piece {
                case .output(let stream, let bytes):
                    try await receive(.output(stream: stream, bytes))
                    change { $0.received[stream] += UInt64(bytes.count) }
                case .input(let accepted, let delivered):
                    change { state in
                        state.input.accept(accepted)
                        state.inputLimit = delivered + UInt64(StreamFrames.inputWindow)
                    }
                    try await receive(.input(accepted: accepted))
                case .endOfOutput:
                    change { $0.hasOutputEnded = true }
                }
            }
        }
    }

    /// Writes what there is to say until the connection breaks.
    private func write(_ connection: StreamConnection) async throws {
        while true {
            let seen = changes.version
            let (bytes, told) = state.withLock { Self.next(&$0) }
            guard !bytes.isEmpty else {
                try await changes.wait(beyond: seen)
                continue
            }
            guard try await connection.write(bytes).isEmpty else { return }
            change { $0.told = told }
        }
    }

    private static func next(_ state: inout State) -> (bytes: [UInt8], told: StreamPositions) {
        var bytes: [UInt8] = []
        for stream in [1, 2] as [UInt32] where state.acknowledged[stream] > state.told[stream] {
            bytes += StreamFrames.acknowledge(stream, state.acknowledged[stream])
        }
        let input = state.input.next(limit: StreamFrames.inputWindow, upTo: state.inputLimit)
        if !input.isEmpty { bytes += StreamFrames.input(input) }
        if state.input.hasEnded, state.input.accepted != nil, state.inputLimit > 0, state.input.isAllSent,
            !state.hasSaidEnd
        {
            state.hasSaidEnd = true
            bytes += StreamFrames.endOfInput
        }
        return (bytes, state.acknowledged)
    }

    /// The client is gone for good: tells the keeper that no input follows, should there be one to tell.
    func abandonInput() async {
        guard !state.withLock({ $0.hasSaidEnd && $0.input.isAllAccepted }) else { return }
        var order = order
        order.attachesOutput = false
        let request = encode(order)
        await withinLimit(.seconds(5)) { [path, poller] in
            let connection = try await StreamConnection(to: path, request: request, poller: poller)
            _ = try await connection.write(StreamFrames.endOfInput)
        }
    }

    /// The client has all output that came, and will not say so: tells the keeper, which otherwise keeps it for a client that
    /// comes back.
    func abandonOutput() async {
        let received: StreamPositions? = state.withLock { $0.told.covers($0.received) ? nil : $0.received }
        guard let received else { return }
        var order = order
        order.attachesInput = false
        order.positions = received
        let request = encode(order)
        await withinLimit(.seconds(5)) { [path, poller] in
            let connection = try await StreamConnection(to: path, request: request, poller: poller)
            _ = try await connection.write(
                StreamFrames.acknowledge(1, received[1]) + StreamFrames.acknowledge(2, received[2])
            )
            // It closes when it has let go; not before it has read this.
            while try await !connection.read().isEmpty {}
        }
    }
}
