// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization
internal import System

/// The input and output of one exec, over as many connections as it takes: a keeper that dies is replaced, and what was
/// not read stays in the process's pipes.
///
/// Used by three tasks: one reads, one writes, one says that the process has ended.
final class ExecStream: Sendable {
    private struct State {
        var connection: StreamConnection?
        var inputEnded = false
        var hasExited = false
    }

    /// After the exit, output that somebody else still writes is waited for that long.
    private static let patienceAfterExit = Duration.milliseconds(300)
    /// How long a keeper may be away after the exit.
    private static let patienceForKeeper = Duration.seconds(10)

    private let path: String
    private let request: [UInt8]
    private let poller: Poller
    private let state = Mutex(State())
    private let changes = Changes()

    init(path: String, request: [UInt8], poller: Poller) {
        self.path = path
        self.request = request
        self.poller = poller
    }

    /// The process has ended: reading goes on to the end of what it left.
    func noteExit() {
        state.withLock { $0.hasExited = true }
        changes.announce()
    }

    /// Hands over the output until there is no more of it.
    /// - Throws: `.streamLost` when the process has ended and no keeper gives out its output.
    func read(_ receive: @Sendable (FrameDecoder.Piece) async throws -> Void) async throws {
        var pause = Duration.milliseconds(5)
        var lost: (since: ContinuousClock.Instant, SystemError)?
        while true {
            let exitedBefore = state.withLock { $0.hasExited }
            do {
                let connection = try await connect()
                lost = nil
                let count = try await drain(connection, receive)
                // Nothing came on a connection made after the exit: there is nothing left.
                if exitedBefore, count == 0 { return }
                if count > 0 { pause = .milliseconds(5) }
            } catch let error as SystemError {
                let since = lost?.since ?? .now
                lost = (since, error)
                if exitedBefore, ContinuousClock.now > since.advanced(by: ExecStream.patienceForKeeper) {
                    throw EngineError.streamLost(path, error)
                }
            }
            state.withLock { $0.connection = nil }
            try await waitForExit(atMost: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    /// Writes to the process's input, waiting for a new connection where one breaks.
    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes
        while !rest.isEmpty {
            let seen = changes.version
            if let connection = state.withLock({ $0.connection }) {
                rest = Array(try await connection.write(rest))
                if rest.isEmpty { return }
                state.withLock { if $0.connection === connection { $0.connection = nil } }
            }
            if state.withLock({ $0.hasExited }) { return }
            try await changes.wait(beyond: seen)
        }
    }

    /// Nothing more will be written.
    func finishWriting() {
        let connection = state.withLock { state in
            state.inputEnded = true
            return state.connection
        }
        connection?.finishWriting()
    }

    private func connect() async throws -> StreamConnection {
        let connection = try await StreamConnection(to: path, request: request, poller: poller)
        let inputEnded = state.withLock { state in
            state.connection = connection
            return state.inputEnded
        }
        if inputEnded { connection.finishWriting() }
        changes.announce()
        return connection
    }

    /// Reads one connection to its end; after the exit, until nothing comes any more.
    /// - Returns: How many bytes of output came.
    private func drain(
        _ connection: StreamConnection,
        _ receive: @Sendable (FrameDecoder.Piece) async throws -> Void
    ) async throws -> Int {
        var decoder = FrameDecoder()
        var count = 0
        while let bytes = try await next(connection), !bytes.isEmpty {
            for piece in decoder.feed(bytes) {
                count += piece.bytes.count
                try await receive(piece)
            }
        }
        return count
    }

    /// Nil when the process has ended and nothing has come for a while.
    private func next(_ connection: StreamConnection) async throws -> [UInt8]? {
        let received = Mutex<[UInt8]?>(nil)
        while true {
            let seen = changes.version
            let hasExited = state.withLock { $0.hasExited }
            try await firstOf([
                { [connection] in
                    let bytes = try await connection.read()
                    received.withLock { $0 = bytes }
                },
                { [changes] in
                    guard !hasExited else { return try await Task.sleep(for: ExecStream.patienceAfterExit) }
                    try await changes.wait(beyond: seen)
                },
            ])
            if let bytes = received.withLock({ $0 }) { return bytes }
            if hasExited { return nil }
        }
    }

    private func waitForExit(atMost limit: Duration) async throws {
        let seen = changes.version
        if state.withLock({ $0.hasExited }) { return try await Task.sleep(for: .milliseconds(1)) }
        await withinLimit(limit) { [changes] in try await changes.wait(beyond: seen) }
        try Task.checkCancellation()
    }
}
