// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Synchronization
import System
import TestMessages
import TestSupport
import Testing

/// How many connections, and handlers of one connection, a server has at most.
@Suite(.timeLimit(.minutes(2)))
struct ServerLimitTests {
    /// Twice the calls that may be open.
    private static let handlerLimit = 2 * 16384

    @Test func connectionsBeyondTheLimitAreClosed() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/echo.sock"
            let server = makeServer(Echo())
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, connectionLimit: 2, in: &group)
                let (isRefused, isServed) = try await blocking {
                    let first = try RawPeer.connect(to: path)
                    let second = try RawPeer.connect(to: path)
                    // They are accepted in turn; each is told the server's settings.
                    guard try first.next() != nil, try second.next() != nil else { return (false, false) }
                    let isRefused = try RawPeer.connect(to: path).next() == nil
                    first.close()
                    // The place is free when the server has seen the end.
                    let isServed = try eventually("a place") { () -> Bool? in
                        try RawPeer.connect(to: path).next() != nil ? true : nil
                    }
                    second.close()
                    return (isRefused, isServed)
                }
                #expect(isRefused && isServed)
                server.gracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    /// While no descriptor is free, connections wait, and the thread that would accept them does too.
    @Test func withoutDescriptorsTheServerWaits() async {
        await #expect(processExitsWith: .success) {
            try await withEcho { client, _, _, path in
                _ = try await client.say(.init())
                let (used, isServed) = try await blocking {
                    let hard = try ResourceLimits.value(ResourceLimits.openFiles).hard
                    try ResourceLimits.set(ResourceLimits.openFiles, soft: 128, hard: hard)
                    var taken: [Int32] = []
                    while let file = try? Files.open("/dev/null", .readOnly) {
                        taken.append(file.relinquish())
                    }
                    // The client's end has the only one that is left.
                    guard let last = taken.popLast() else { return (UInt64.max, false) }
                    try Descriptor(adopting: last).close()
                    let peer = try RawPeer.connect(to: path)
                    let before = Clock.processorNanos
                    pass(seconds: 0.5)
                    let used = Clock.processorNanos - before
                    for file in taken { try Descriptor(adopting: file).close() }
                    return (UInt64(used), try peer.next(within: 20) != nil)
                }
                #expect(used < 100_000_000 && isServed, "\(used) ns")
            }
        }
    }

    /// A call that is reset counts no more among the open ones, but its handler may not have ended.
    @Test func handlersThatGoOnAreBounded() async throws {
        let gate = Gate()
        try await withEcho(interceptors: [gate]) { _, _, _, path in
            let (isRefused, isServed) = try await blocking {
                let peer = try RawPeer.connect(to: path)
                var stream: UInt32 = 1
                for batch in 1...34 {
                    let streams = (0..<1000).map { stream + 2 * UInt32($0) }
                    stream += 2000
                    let request = Frame.message([])
                    try peer.send(
                        streams.flatMap {
                            Frame.headers(Field.request(), stream: $0).bytes
                                + Frame.data(request, stream: $0).bytes
                        }
                    )
                    try eventually("handlers", holds: { gate.passed >= min(1000 * batch, Self.handlerLimit) })
                    try peer.send(streams.flatMap { Frame.reset(8, stream: $0).bytes })
                }
                // Whether another call is refused, or has a status at all, shows which it is.
                let isRefused = try peer.status(ofCallOn: &stream) == 8
                gate.open()
                let isServed = try eventually("a place") {
                    try peer.status(ofCallOn: &stream) == 0 ? true : nil
                }
                peer.close()
                return (isRefused, isServed)
            }
            #expect(isRefused && isServed)
        }
        #expect(gate.passed <= Self.handlerLimit + 1000)
    }

    /// Calls that have sent no request have no handler, and count like those that have: of all connections together.
    @Test func callsWithoutARequestAreBounded() async throws {
        try await withEcho { _, _, _, path in
            let (isRefused, isServed) = try await blocking {
                // Each has as many as may be open.
                let peers = try (0..<4).map { _ in try RawPeer.connect(to: path) }
                for peer in peers {
                    for batch in 0..<16 as Range<UInt32> {
                        let streams = (0..<1024 as Range<UInt32>).map { 2048 * batch + 2 * $0 + 1 }
                        try peer.send(
                            streams.flatMap { Frame.headers(Field.request(), stream: $0).bytes }
                        )
                    }
                    try peer.send(Frame.ping())
                    guard try peer.reactions(until: .pong) == [.pong] else { return (false, false) }
                }
                let last = try RawPeer.connect(to: path)
                var stream: UInt32 = 1
                let isRefused = try last.status(ofCallOn: &stream) == 8
                peers[0].close()
                let isServed = try eventually("a place") {
                    try last.status(ofCallOn: &stream) == 0 ? true : nil
                }
                for peer in peers.dropFirst() + [last] { peer.close() }
                return (isRefused, isServed)
            }
            #expect(isRefused && isServed)
        }
    }

    /// Holds up handlers, cancelled or not.
    private final class Gate: ServerInterceptor {
        private struct State {
            var isOpen = false
            var passed = 0
            var waiters: [CheckedContinuation<Void, Never>] = []
        }

        private let state = Mutex(State())

        var passed: Int { state.withLock { $0.passed } }

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            await withCheckedContinuation { waiter in
                let isOpen = state.withLock { state in
                    state.passed += 1
                    if !state.isOpen { state.waiters.append(waiter) }
                    return state.isOpen
                }
                if isOpen { waiter.resume() }
            }
            try await proceed()
        }

        func open() {
            let waiters = state.withLock { state in
                state.isOpen = true
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }
}

extension RawPeer {
    /// How a whole unary call ends; nil when it does not. The next one goes on the next stream.
    fileprivate func status(ofCallOn stream: inout UInt32) throws -> Int? {
        defer { stream += 2 }
        try send(Frame.headers(Field.request(), stream: stream))
        try send(Frame.data(Frame.message([]), stream: stream, flags: Frame.Flags.endStream))
        while let frame = try next() {
            guard frame.kind == Frame.Kind.headers, frame.stream == stream else { continue }
            if let code = ReceivedStatus(block: frame.payload).grpc { return code }
        }
        return nil
    }
}
