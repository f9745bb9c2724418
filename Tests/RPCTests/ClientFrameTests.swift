// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Synchronization
import TestMessages
import Testing

/// A client whose server breaks the rules, or says in HTTP/2's words what it thinks of a call.
struct ClientFrameTests {
    @Test(arguments: Answer.statuses + Answer.messages + Answer.framing + Answer.resets + Answer.ends)
    func answersHaveAStatus(answer: Answer) async throws {
        try await withRawServer { peer, _ in
            if answer.isFirst { _ = try peer.readPreface() } else { try peer.greet() }
            try peer.send(answer.bytes)
            if !answer.closes { _ = try peer.awaitEnd(within: 20) }
        } _: { client in
            let error = await failure { try await client.say(.init(), options: .init(timeout: .seconds(60))) }
            #expect(error?.code == answer.expected, "\(error?.description ?? "no error")")
        }
    }

    /// Calls beyond what the server allows at once wait for their turn.
    @Test func noMoreIsAskedAtOnceThanTheServerAllows() async throws {
        let most = Mutex(0)
        try await withRawServer { peer, _ in
            guard try peer.readPreface() else { return }
            // SETTINGS_MAX_CONCURRENT_STREAMS.
            try peer.send(Frame.settings([(3, 2)]))
            try peer.send(Frame.settingsAck)
            var open: [UInt32] = []
            while true {
                // Nothing is answered before all that may come has come.
                if let frame = try peer.next(within: open.isEmpty ? 60 : 0.3) {
                    guard frame.kind == Frame.Kind.headers else { continue }
                    open.append(frame.stream)
                    most.withLock { $0 = max($0, open.count) }
                } else if open.isEmpty {
                    return
                } else {
                    try peer.answer(open.removeFirst())
                }
            }
        } _: { client in
            // After the first call the client knows the limit.
            _ = try await client.say(.init())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 { group.addTask { _ = try await client.say(.init()) } }
                try await group.waitForAll()
            }
            #expect(most.withLock { $0 } == 2)
        }
    }

    /// Huffman's code would cost both ends more than its bytes.
    @Test func aPathIsSentAsItIs() async throws {
        let request = Mutex<[UInt8]>([])
        try await withRawServer { peer, _ in
            guard try peer.readPreface() else { return }
            try peer.send(Frame.settings())
            try peer.send(Frame.settingsAck)
            while let frame = try peer.next() {
                guard frame.kind == Frame.Kind.headers else { continue }
                request.withLock { $0 = frame.payload }
                try peer.answer(frame.stream)
            }
        } _: { client in
            _ = try await client.say(.init(), options: .init(timeout: .seconds(60)))
        }
        #expect(request.withLock { $0 }.contains(Array("/petrel.test.v1.Echo/Say".utf8)))
    }

    /// What the server says it has not acted on is sent again, on another connection.
    @Test(arguments: [
        Frame.goAway(last: 0), Frame.goAway(last: 0, 11), Frame.reset(7),
    ])
    func whatWasNotActedOnIsSentAgain(refusal: Frame) async throws {
        let connections = Mutex(0)
        try await withRawServer { peer, number in
            connections.withLock { $0 = max($0, number + 1) }
            try peer.greet()
            if number == 0 { try peer.send(refusal) }
            // A reset leaves the connection as it is.
            if refusal.kind == Frame.Kind.reset {
                while let frame = try peer.next(), frame.kind != Frame.Kind.headers {}
                try peer.send(Answer.good(on: 3))
            } else if number > 0 {
                try peer.send(Answer.good(on: 1))
            }
            _ = try peer.awaitEnd(within: 20)
        } _: { client in
            expect(try await client.say(.init(), options: .init(timeout: .seconds(60))) == .init())
        }
        #expect(connections.withLock { $0 } == (refusal.kind == Frame.Kind.reset ? 1 : 2))
    }

    @Test func aServerThatAlwaysRefusesIsUnavailable() async throws {
        try await withRawServer { peer, _ in
            try peer.greet()
            try peer.send(Frame.reset(7))
            while let frame = try peer.next() {
                if frame.kind == Frame.Kind.headers { try peer.send(Frame.reset(7, stream: frame.stream)) }
            }
        } _: { client in
            await expectFailure(.unavailable) {
                try await client.say(.init(), options: .init(timeout: .seconds(60)))
            }
        }
    }

    @Test func aCallThatTheServerMentionsInGoingAwayIsFinished() async throws {
        try await withRawServer { peer, number in
            try peer.greet()
            guard number == 0 else { return }
            try peer.send(Frame.goAway(last: 1))
            try peer.send(Answer.good(on: 1))
            _ = try peer.awaitEnd(within: 20)
        } _: { client in
            expect(try await client.say(.init(), options: .init(timeout: .seconds(60))) == .init())
        }
    }

    /// What a server that goes away still has to answer ends with the channel too, not only the calls of its
    /// last connection.
    @Test func closingEndsTheCallsOfEveryConnection() async throws {
        let isDismissed = Mutex(false)
        try await withRawChannel { peer, number in
            try peer.greet()
            if number == 0 {
                try peer.send(Frame.goAway(last: 1))
                isDismissed.withLock { $0 = true }
            } else {
                try peer.send(Answer.good(on: 1))
            }
            _ = try peer.awaitEnd(within: 20)
        } _: { channel in
            let client = TestV1.EchoClient(channel: channel)
            let options = CallOptions(timeout: .seconds(15))
            try await withThrowingTaskGroup(of: RPCError?.self) { group in
                group.addTask { await failure { try await client.say(.init(), options: options) } }
                expect(try await eventually { isDismissed.withLock { $0 } })
                expect(try await client.say(.init(), options: options) == .init())
                await channel.close()
                let error = try await group.next() ?? nil
                #expect(error?.code == .unavailable, "\(error?.description ?? "no error")")
            }
        }
    }

    @Test func aServerThatDoesNotSpeakIsWaitedForUntilTheDeadline() async throws {
        try await withRawServer { peer, _ in
            _ = try peer.awaitEnd(within: 20)
        } _: { client in
            await expectFailure(.deadlineExceeded) {
                try await client.say(.init(), options: .init(timeout: .milliseconds(200)))
            }
        }
    }

    /// A server that asks for thousands of answers and reads none makes the client hold few.
    @Test(arguments: [Frame.ping(), Frame.settings()])
    func answersToAServerThatDoesNotReadAreBounded(frame: Frame) async throws {
        try await withRawServer { peer, _ in
            try peer.greet()
            let flood = [[UInt8]](repeating: frame.bytes, count: 10_000).flatMap { $0 }
            for _ in 0..<100 where try !peer.send(flood) { return }
            _ = try peer.awaitEnd(within: 20)
        } _: { client in
            await expectFailure(.unavailable) {
                try await client.say(.init(), options: .init(timeout: .seconds(60)))
            }
        }
    }
}

/// What a server answers to a call, and how the call ends.
struct Answer: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// nil: well.
    let expected: StatusCode?
    /// The server closes the connection afterwards.
    var closes = false
    /// Nothing is sent before it.
    var isFirst = false

    var testDescription: String { name }

    init(_ name: String, _ frames: [Frame], _ expected: StatusCode?, closes: Bool = false) {
        self.name = name
        bytes = frames.flatMap(\.bytes)
        self.expected = expected
        self.closes = closes
    }

    init(first name: String, _ bytes: [UInt8], closes: Bool = false) {
        self.name = name
        self.bytes = bytes
        self.closes = closes
        expected = .unavailable
        isFirst = true
    }

    private static let lastFlags = Frame.Flags.endHeaders | Frame.Flags.endStream
    private static let opening = Frame.headers(Field.answer)
    private static let announcement = Frame.headers([Field(":status", "103")])
    private static let message = Frame.data(Frame.message([]))

    private static func trailers(_ status: String = "0") -> Frame {
        .headers([Field("grpc-status", status)], flags: lastFlags)
    }

    private static func only(_ fields: [Field]) -> [Frame] { [.headers(fields, flags: lastFlags)] }

    /// An empty message, and that all is well.
    static func good(on stream: UInt32) -> [UInt8] {
        let frames: [Frame] = [
            .headers(Field.answer, stream: stream), .data(Frame.message([]), stream: stream),
            .headers([Field("grpc-status", "0")], stream: stream, flags: lastFlags),
        ]
        return frames.flatMap(\.bytes)
    }

    static let statuses =
        [
            Answer("all is well", [opening, message, trailers()], nil),
            Answer(
                "no status",
                [opening, message, .headers([Field("x", "y")], flags: lastFlags)],
                .internal
            ),
            Answer("the data end the stream", [opening, .data(Frame.message([]), flags: 1)], .internal),
            Answer("only headers, without a status", only(Field.answer), .internal),
            Answer("only trailers", only(Field.answer + [Field("grpc-status", "5")]), .notFound),
            Answer("a status beyond all", [opening, trailers("99")], .unknown),
            Answer("a status that is no number", [opening, trailers("-1")], .unknown),
            Answer("an empty status", [opening, trailers("")], .unknown),
            Answer("well, and no message", [opening, trailers()], .internal),
            Answer(
                "no gRPC",
                [.headers([Field(":status", "200"), Field("content-type", "text/html")])],
                .unknown
            ),
            Answer(
                "announced first",
                [announcement, announcement, opening, message, trailers()],
                nil
            ),
            Answer("announced, and that is all", only([Field(":status", "100")]), .internal),
            Answer("data after an announcement", [announcement, message, trailers()], .internal),
            Answer("an announcement, and the end", [announcement, .data([], flags: 1)], .internal),
            Answer(
                "a length announced with an announcement",
                [
                    .headers([Field(":status", "103"), Field("content-length", "1")]), opening, message,
                    trailers(),
                ],
                nil
            ),
            Answer("trailers twice", [opening, message, trailers(), trailers("5")], nil),
            Answer("data after the trailers", [opening, message, trailers(), message], nil),
        ]
        + [
            (400, .internal), (401, .unauthenticated), (403, .permissionDenied), (404, .unimplemented),
            (418, .unknown), (429, .unavailable), (500, .unknown), (502, .unavailable), (503, .unavailable),
            (504, .unavailable),
        ].map { (status: Int, code: StatusCode) in
            Answer("HTTP \(status)", only([Field(":status", String(status))]), code)
        }

    static let messages = [
        Answer("two messages", [opening, message, message, trailers()], .internal),
        Answer("two messages, and no end", [opening, message, message], .internal),
        Answer("unknown flags", [opening, .data(Frame.message([], flags: 4))], .internal),
        Answer("compressed without an encoding", [opening, .data(Frame.message([], flags: 1))], .internal),
        Answer("an unknown encoding", [.headers(Field.answer + [Field("grpc-encoding", "br")])], .internal),
        Answer(
            "damaged compression",
            [
                .headers(Field.answer + [Field("grpc-encoding", "gzip")]),
                .data(Frame.message([1], flags: 1)), trailers(),
            ],
            .internal
        ),
        Answer("over the limit", [opening, .data(Frame.message([], claiming: 5 << 20))], .resourceExhausted),
        Answer("cut off", [opening, .data(Frame.message([1], claiming: 2)), trailers()], .internal),
        Answer("no message of its kind", [opening, .data(Frame.message([0xff])), trailers()], .internal),
        Answer(
            "metadata over the limit",
            [.headers(Field.answer + [Field("x", String(repeating: "y", count: 40_000))])],
            .resourceExhausted
        ),
        Answer(
            "damaged details",
            only(Field.answer + [Field("grpc-status", "5"), Field("grpc-status-details-bin", "////")]),
            .notFound
        ),
        Answer(
            "a damaged message",
            only(Field.answer + [Field("grpc-status", "5"), Field("grpc-message", "%zz%")]),
            .notFound
        ),
        Answer(
            "a message between spaces",
            only(Field.answer + [Field("grpc-status", "5"), Field("grpc-message", " gone ")]),
            .notFound
        ),
    ]

    static let framing = [
        Answer("garbage", [Frame(kind: 0, stream: 0, payload: [1, 2, 3])], .unavailable),
        Answer("data before headers", [message], .unavailable),
        Answer("no HTTP status", [.headers([Field("content-type", "application/grpc")])], .internal),
        Answer("a name in capitals", [.headers(Field.answer + [Field("X", "y")])], .internal),
        Answer(
            "less content than was announced",
            [.headers(Field.answer + [Field("content-length", "6")]), message, trailers()],
            .internal
        ),
        Answer(
            "more content than was announced",
            [.headers(Field.answer + [Field("content-length", "4")]), message, trailers()],
            .internal
        ),
        Answer(
            "as much content as was announced",
            [.headers(Field.answer + [Field("content-length", "5")]), message, trailers()],
            nil
        ),
        Answer(
            "trailers that do not end the stream",
            [opening, message, .headers([Field("grpc-status", "0")])],
            .internal
        ),
        Answer("a field of the connection", [.headers(Field.answer + [Field("upgrade", "h3")])], .internal),
        Answer("a request's field", [.headers([Field(":method", "POST")] + Field.answer)], .internal),
        Answer(
            "HTTP's own field in trailers",
            [opening, message, .headers([Field(":status", "200")], flags: lastFlags)],
            .internal
        ),
        Answer("a call by the server", [.headers(Field.request(), stream: 2)], .unavailable),
        Answer(
            "a promise",
            [Frame(kind: 5, flags: 4, stream: 1, payload: Frame.number(2) + Field.block(Field.request()))],
            .unavailable
        ),
        Answer(
            "a promise on stream 0",
            [Frame(kind: 5, flags: 4, stream: 0, payload: Frame.number(2))],
            .unavailable
        ),
        Answer(
            "headers of no table",
            [Frame(kind: 1, flags: 4, stream: 1, payload: [0xff, 0xff, 3])],
            .unavailable
        ),
        Answer(
            "a frame over the limit",
            [opening, .data([UInt8](repeating: 0, count: 65_537))],
            .unavailable
        ),
        Answer("an answer to no call", [.headers(Field.answer, stream: 7)], .unavailable),
        Answer("too much room", [.windowUpdate(0x7fff_ffff, stream: 1)], .internal),
        Answer("push is switched on", [.settings([(2, 1)])], .unavailable),
    ]

    // But for REFUSED_STREAM (7), after which the call is sent again.
    static let resets = [
        (0, .internal), (1, .internal), (2, .internal), (3, .internal), (4, .internal), (5, .internal),
        (6, .internal), (8, .cancelled), (9, .internal), (10, .internal),
        (11, .resourceExhausted), (12, .permissionDenied), (13, .internal), (99, .internal),
    ].map { (code: UInt32, status: StatusCode) in Answer("reset with \(code)", [.reset(code)], status) }

    static let ends = [
        Answer(first: "it closes at once", [], closes: true),
        Answer(first: "it speaks HTTP/1.1", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
        Answer(
            first: "it closes within its settings",
            Array(Frame.settings().bytes.dropLast()),
            closes: true
        ),
        Answer(first: "its settings are too long", Frame(kind: 4, payload: [1]).bytes),
        Answer("it closes before its answer", [], .unavailable, closes: true),
        Answer("it closes after the headers", [opening], .unavailable, closes: true),
        Answer("it closes within a message", [opening, .data([0, 0, 0])], .unavailable, closes: true),
        Answer("it closes before the trailers", [opening, message], .unavailable, closes: true),
        Answer("it closes after the trailers", [opening, message, trailers()], nil, closes: true),
        Answer("it goes away and closes", [.goAway(last: 1)], .unavailable, closes: true),
    ]
}
