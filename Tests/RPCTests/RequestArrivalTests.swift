// SPDX-License-Identifier: Apache-2.0
import Events
import RPC
import Synchronization
import TestMessages
import TestSupport
import Testing

/// The handler of a call that has one request begins when that is here, and of one that has a stream of them at once.
@Suite(.timeLimit(.minutes(2)))
struct RequestArrivalTests {
    private static let quick: Set<String> = Set(
        ["Say", "Repeat", "Collect"].map { "petrel.test.v1.Echo/" + $0 }
    )

    /// Which methods' handlers have begun.
    private final class Begun: ServerInterceptor {
        let methods = Mutex<[String]>([])

        var count: Int { methods.withLock { $0.count } }

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            methods.withLock { $0.append(context.method) }
            try await proceed()
        }
    }

    /// How calls have ended.
    private final class Outcomes: CallObserver {
        private struct State {
            var began = 0
            var codes: [StatusCode] = []
        }

        private let state = Mutex(State())

        var codes: [StatusCode] { state.withLock { $0.codes } }
        var isComplete: Bool { state.withLock { $0.began == $0.codes.count } }

        func began(_ context: CallContext) { state.withLock { $0.began += 1 } }

        func ended(_ context: CallContext, _ outcome: CallOutcome) {
            state.withLock { $0.codes.append(outcome.failure?.code ?? .ok) }
        }
    }

    private func withPeer(
        isQuick: Bool,
        _ body: @escaping @Sendable (RawPeer, Begun, Outcomes) throws -> Void
    ) async throws {
        let (begun, outcomes) = (Begun(), Outcomes())
        let quick = isQuick ? Self.quick : []
        try await withEcho(quick: quick, observers: [outcomes], interceptors: [begun]) { _, _, _, path in
            try await blocking {
                let peer = try RawPeer.connect(to: path)
                try body(peer, begun, outcomes)
                peer.close()
            }
        }
        #expect(outcomes.isComplete)
    }

    @Test(arguments: [true, false])
    func aHandlerBeginsWhenItsRequestIsHere(isQuick: Bool) async throws {
        try await withPeer(isQuick: isQuick) { peer, begun, outcomes in
            let message = Frame.message([])
            for (index, method) in ["Say", "Repeat", "Collect"].enumerated() {
                let stream = 2 * UInt32(index) + 1
                try peer.send(Frame.headers(Field.request(method), stream: stream))
                try peer.send(Frame.data(Array(message.prefix(3)), stream: stream))
            }
            // The second is over before its request has come.
            try peer.send(Frame.reset(8, stream: 3).bytes + Frame.ping().bytes)
            #expect(try peer.reactions(until: .pong) == [.pong])
            try eventually("the handler of a stream", holds: { begun.count == 1 })
            #expect(begun.methods.withLock { $0 } == ["/petrel.test.v1.Echo/Collect"])
            #expect(outcomes.codes == [.cancelled])
            try peer.send(Frame.data(Array(message.dropFirst(3)), flags: Frame.Flags.endStream))
            #expect(try peer.reactions(until: .status(0)).contains(.status(0)))
            // It ends without one.
            let flags = Frame.Flags.endHeaders | Frame.Flags.endStream
            try peer.send(Frame.headers(Field.request(), stream: 7, flags: flags))
            #expect(try peer.reactions(until: .status(13)).contains(.status(13)))
            #expect(begun.count == 3)
        }
    }

    @Test(arguments: [true, false])
    func theEndWithinTheRequestEndsTheCall(isQuick: Bool) async throws {
        try await withPeer(isQuick: isQuick) { peer, begun, outcomes in
            let part = Array(Frame.message([8, 1]).dropLast())
            let data = Frame.data(part, flags: Frame.Flags.endStream)
            try peer.send(Frame.headers(Field.request()).bytes + data.bytes)
            #expect(try peer.reactions(until: .status(13)).contains(.status(13)))
            #expect(begun.count == 0 && outcomes.codes == [.internal])
        }
    }

    /// Its request may still come, so it is waited for as long as any call, and no longer.
    @Test func aServerThatEndsDropsACallWithoutARequest() async throws {
        let outcomes = Outcomes()
        try await withEcho(observers: [outcomes]) { _, _, server, path in
            try await blocking {
                let peer = try RawPeer.connect(to: path)
                try peer.send(Frame.headers(Field.request()).bytes + Frame.ping().bytes)
                #expect(try peer.reactions(until: .pong) == [.pong])
                server.gracefulShutdown()
                #expect(try peer.awaitEnd(within: 20))
            }
        }
        #expect(outcomes.codes == [.cancelled])
    }

    /// What comes later is nobody's, and the connection goes on.
    @Test(arguments: [true, false])
    func aDeadlineEndsACallWithoutARequest(isQuick: Bool) async throws {
        try await withPeer(isQuick: isQuick) { peer, begun, outcomes in
            try peer.send(Frame.headers(Field.request() + [Field("grpc-timeout", "50m")]))
            #expect(try peer.reactions(until: .status(4)).contains(.status(4)))
            try peer.send(
                Frame.data(Frame.message([]), flags: Frame.Flags.endStream).bytes + Frame.ping().bytes
            )
            #expect(try peer.reactions(until: .pong).last == .pong)
            #expect(begun.count == 0 && outcomes.codes == [.deadlineExceeded])
        }
    }

    @Test(arguments: [true, false])
    func theEndOfTheConnectionEndsACallWithoutARequest(isQuick: Bool) async throws {
        try await withPeer(isQuick: isQuick) { peer, begun, outcomes in
            try peer.send(Frame.headers(Field.request()).bytes + Frame.ping().bytes)
            #expect(try peer.reactions(until: .pong) == [.pong])
            peer.close()
            try eventually("the end", holds: { outcomes.codes == [.cancelled] })
            #expect(begun.count == 0)
        }
    }

    @Test(arguments: [true, false])
    func twoRequestsBeginOneHandler(isQuick: Bool) async throws {
        try await withPeer(isQuick: isQuick) { peer, begun, outcomes in
            let requests = Frame.message([]) + Frame.message([])
            try peer.send(Frame.headers(Field.request()).bytes)
            try peer.send(Frame.data(requests, flags: Frame.Flags.endStream))
            #expect(try peer.reactions(until: .status(0)).contains(.status(0)))
            #expect(begun.count == 1 && outcomes.codes == [.ok])
        }
    }

    /// It comes with the request, so its handler is not started.
    @Test(arguments: [true, false])
    func aViolationBehindTheRequestEndsTheCall(isQuick: Bool) async throws {
        try await withPeer(isQuick: isQuick) { peer, begun, outcomes in
            let data = Frame.data(Frame.message([]) + Frame.message([], flags: 2))
            try peer.send(Frame.headers(Field.request()).bytes + data.bytes)
            #expect(try peer.reactions(until: .status(13)).contains(.status(13)))
            #expect(begun.count == 0 && outcomes.codes == [.internal])
        }
    }
}
