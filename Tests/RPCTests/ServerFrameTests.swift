// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import System
import TestMessages
import TestSupport
import Testing

/// A server whose client breaks the rules: of HTTP/2, of its messages, of gRPC.
struct ServerFrameTests {
    @Test(arguments: Misuse.framing + Misuse.flowAndSettings + Misuse.fields + Misuse.calls)
    func misuseEndsWhatItMust(misuse: Misuse) async throws {
        try await withEcho { client, _, _, path in
            let seen = try await blocking {
                let peer =
                    misuse.isFirst
                    ? try RawPeer(try UnixSocket.connect(.stream, to: path)) : try RawPeer.connect(to: path)
                try peer.send(misuse.bytes + Frame.ping().bytes)
                return try peer.reactions(until: misuse.expected)
            }
            #expect(seen.contains(misuse.expected), "\(seen)")
            expect(try await client.say(.init(text: "still there")).text == "still there")
        }
    }

    /// A stream's error leaves the others of its connection alone.
    @Test func aBadCallHarmsNoOther() async throws {
        try await withEcho { _, _, _, path in
            let seen = try await blocking {
                let peer = try RawPeer.connect(to: path)
                try peer.send(Frame.headers(Field.request(), stream: 1))
                try peer.send(Frame.headers(Field.request(), stream: 3))
                try peer.send(Frame.data(Frame.message([], flags: 9), stream: 1))
                try peer.send(Frame.data(Frame.message([]), stream: 3, flags: Frame.Flags.endStream))
                return try peer.reactions(until: .status(0))
            }
            #expect(seen.contains(.status(13)))
            #expect(seen.contains(.status(0)))
        }
    }

    /// Far more of them than one read takes, then a message that is larger than any read, then small ones again.
    @Test func whatComesInOneWriteIsAllAnswered() async throws {
        try await withEcho { _, _, _, path in
            let answered = try await blocking {
                let peer = try RawPeer.connect(to: path)
                var stream = 1 as UInt32
                var bytes: [UInt8] = []
                func add(_ message: [UInt8]) {
                    bytes += Frame.headers(Field.request(), stream: stream).bytes
                    let parts = stride(from: 0, to: message.count, by: 16384).map {
                        Array(message[$0..<min($0 + 16384, message.count)])
                    }
                    for (index, part) in parts.enumerated() {
                        let flags = index == parts.count - 1 ? Frame.Flags.endStream : 0
                        bytes += Frame.data(part, stream: stream, flags: flags).bytes
                    }
                    stream += 2
                }
                for _ in 0..<300 { add(Frame.message([])) }
                add(
                    Frame.message(
                        TestV1.EchoRequest(data: Array(repeating: 7, count: 200_000), behaviour: "peer")
                            .serialized()
                    )
                )
                for _ in 0..<300 { add(Frame.message([])) }
                // More than the socket holds: the server has to come to it, on a busy machine too.
                try UnixSocket.setSendTimeout(peer.socket.raw, milliseconds: 60_000)
                try #require(try peer.send(bytes))
                var answered: Set<UInt32> = []
                while answered.count < 601, let frame = try peer.next() {
                    let isEnd = frame.kind == Frame.Kind.headers && frame.flags & Frame.Flags.endStream != 0
                    if isEnd { answered.insert(frame.stream) }
                }
                return answered
            }
            #expect(answered == Set((0..<601).map { 2 * $0 + 1 }))
        }
    }

    /// Streams whose numbers have the same last digits, each of which ends at another time.
    @Test func streamsAreKnownApart() async throws {
        try await withEcho { _, _, _, path in
            let answers = try await blocking {
                let peer = try RawPeer.connect(to: path)
                var answers: [UInt32] = []
                func open(_ stream: UInt32) throws {
                    try peer.send(Frame.headers(Field.request("Collect"), stream: stream))
                }
                func finish(_ stream: UInt32) throws {
                    try peer.send(Frame.data([], stream: stream, flags: Frame.Flags.endStream))
                    while let frame = try peer.next() {
                        if frame.kind == Frame.Kind.data { answers.append(frame.stream) }
                        if frame.kind == Frame.Kind.headers, frame.flags & Frame.Flags.endStream != 0 {
                            break
                        }
                    }
                }
                for stream in [1, 129, 257] as [UInt32] { try open(stream) }
                try finish(1)
                try open(385)
                for stream in [257, 385, 129] as [UInt32] { try finish(stream) }
                try open(513)
                try peer.send(Frame.reset(8, stream: 513))
                try open(641)
                try finish(641)
                return answers
            }
            #expect(answers == [1, 257, 385, 129, 641])
        }
    }

    /// In `grpc-accept-encoding`, which other answers need not carry.
    @Test(arguments: [("zstd", true), ("gzip", false)])
    func whoseEncodingIsRefusedLearnsWhichAreNot(encoding: String, isTold: Bool) async throws {
        try await withEcho { _, _, _, path in
            let frames = try await blocking {
                let peer = try RawPeer.connect(to: path)
                try peer.send(Frame.headers(Field.request() + [Field("grpc-encoding", encoding)]))
                try peer.send(Frame.data(Frame.message([]), flags: Frame.Flags.endStream))
                var frames: [Frame] = []
                while let frame = try peer.next() {
                    frames.append(frame)
                    if frame.kind == Frame.Kind.headers, frame.flags & Frame.Flags.endStream != 0 { break }
                }
                return frames.filter { $0.kind == Frame.Kind.headers }
            }
            let block = frames.flatMap(\.payload)
            let known = Field.text("grpc-accept-encoding") + Field.text("gzip")
            #expect(block.contains(known) == isTold)
        }
    }

    /// Fields that stand in the connection's table, more than a server remembers: each is taken for what it is.
    @Test func fieldsThatComeAgainAreKnownApart() async throws {
        try await withEcho { _, _, _, path in
            try await blocking {
                let peer = try RawPeer.connect(to: path)
                var table = FieldTable()
                for round in 0..<60 {
                    let agent = Field("user-agent", "agent-\(round * 7 % 20)")
                    let (fields, expected): ([Field], Reaction) =
                        switch round % 5 {
                        case 0: (Field.request() + [agent], .status(0))
                        case 1: (Field.request().setting(":method", "GET") + [agent], .http(405))
                        case 2: ([agent] + Field.request(), .streamError(1))
                        case 3: (Field.request().setting("content-type", "text/html") + [agent], .http(415))
                        default: (Field.request() + [Field("grpc-encoding", "zstd"), agent], .status(12))
                        }
                    let stream = UInt32(2 * round + 1)
                    let block = fields.flatMap { table.encode($0) }
                    try peer.send(Frame(kind: 1, flags: 4, stream: stream, payload: block))
                    try peer.send(
                        Frame.data(Frame.message([]), stream: stream, flags: Frame.Flags.endStream)
                    )
                    let seen = try peer.reactions(until: expected)
                    #expect(seen.contains(expected), "round \(round): \(seen)")
                }
            }
        }
    }

    /// Each byte in a packet of its own: frames and prefixes are put together again.
    @Test func bytesMayComeOneByOne() async throws {
        try await withEcho { _, _, _, path in
            let seen = try await blocking {
                let peer = try RawPeer(try UnixSocket.connect(.stream, to: path))
                let request = TestV1.EchoRequest(text: "slow").serialized()
                let bytes =
                    Frame.preface + Frame.settings([(1, 0)]).bytes + Frame.headers(Field.request()).bytes
                    + Frame.data(Frame.message(request), flags: Frame.Flags.endStream).bytes
                for byte in bytes { try peer.send([byte]) }
                return try peer.reactions(until: .status(0))
            }
            #expect(seen.contains(.status(0)))
        }
    }

    /// The client closes: at each place in a call.
    @Test func aConnectionMayEndAnywhere() async throws {
        try await withEcho { client, _, _, path in
            let bytes =
                Frame.preface + Frame.settings().bytes + Frame.headers(Field.request("Collect")).bytes
                + Frame.data(Frame.message([1, 2, 3])).bytes
            try await blocking {
                for count in 0...bytes.count {
                    let peer = try RawPeer(try UnixSocket.connect(.stream, to: path))
                    try peer.send(Array(bytes.prefix(count)))
                }
            }
            expect(try await client.say(.init(text: "still there")).text == "still there")
        }
    }
}

/// What a client may not do, and what the server does about it.
struct Misuse: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let expected: Reaction
    /// Nothing is sent before it.
    var isFirst = false

    var testDescription: String { name }

    init(_ name: String, _ frames: [Frame], _ expected: Reaction) {
        self.name = name
        bytes = frames.flatMap(\.bytes)
        self.expected = expected
    }

    init(first name: String, _ bytes: [UInt8], _ expected: Reaction) {
        self.name = name
        self.bytes = bytes
        self.expected = expected
        isFirst = true
    }

    // RFC 9113, section 7.
    private static let protocolError = Reaction.connectionError(1)
    private static let frameSizeError = Reaction.connectionError(6)

    private static let open = Frame.headers(Field.request("Collect"))
    private static let finished = Frame.headers(
        Field.request(),
        flags: Frame.Flags.endHeaders | Frame.Flags.endStream
    )
    private static let start = Array(Field.block(Field.request()).prefix(20))
    private static let rest = Array(Field.block(Field.request()).dropFirst(20))

    static let framing = [
        Misuse(
            first: "another protocol",
            Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8),
            protocolError
        ),
        Misuse(first: "the preface breaks off", Array(Frame.preface.dropLast()) + [0], protocolError),
        Misuse(first: "no settings after the preface", Frame.preface + Frame.ping().bytes, protocolError),
        Misuse(
            "a frame over the limit",
            [open, .data([UInt8](repeating: 0, count: 65_537))],
            frameSizeError
        ),
        Misuse("data on stream 0", [.data([0], stream: 0)], protocolError),
        Misuse("data on a stream that was never opened", [.data([0], stream: 5)], protocolError),
        Misuse("data after the end", [finished, .data([0])], .connectionError(5)),
        // It may have been on its way when the stream ended.
        Misuse("data on a stream that was reset", [open, .reset(8), .data([0])], .pong),
        Misuse("a call on stream 0", [.headers(Field.request(), stream: 0)], protocolError),
        Misuse("a call on an even stream", [.headers(Field.request(), stream: 2)], protocolError),
        Misuse(
            "a call on a stream that was passed over",
            [.headers(Field.request(), stream: 5), .headers(Field.request(), stream: 3)],
            .pong
        ),
        Misuse("headers go on without a beginning", [.continuation(rest, flags: 4)], protocolError),
        Misuse(
            "headers go on after their end",
            [open, .continuation(rest, flags: Frame.Flags.endHeaders)],
            protocolError
        ),
        Misuse(
            "a frame within the headers",
            [Frame(kind: 1, flags: 0, stream: 1, payload: start), .ping(), .continuation(rest, flags: 4)],
            protocolError
        ),
        Misuse(
            "another stream's headers within the headers",
            [Frame(kind: 1, flags: 0, stream: 1, payload: start), .continuation(rest, stream: 3, flags: 4)],
            protocolError
        ),
        Misuse(
            "more padding than there is data",
            [open, Frame(kind: 0, flags: Frame.Flags.padded, stream: 1, payload: [9, 0, 0])],
            protocolError
        ),
        Misuse(
            "more padding than there are headers",
            [Frame(kind: 1, flags: Frame.Flags.padded | 4, stream: 1, payload: [99, 0, 0])],
            protocolError
        ),
        Misuse(
            "headers that no table has",
            [Frame(kind: 1, flags: 4, stream: 1, payload: [0xff, 0xff, 3])],
            .connectionError(9)
        ),
        Misuse(
            "headers that end too early",
            [Frame(kind: 1, flags: 4, stream: 1, payload: [0, 5, 0x61])],
            .connectionError(9)
        ),
        Misuse(
            "a promise from a client",
            [open, Frame(kind: 5, flags: 4, stream: 1, payload: Frame.number(2))],
            protocolError
        ),
        Misuse(
            "an unknown kind of frame",
            [open, Frame(kind: 0x42, flags: 0xff, stream: 1, payload: [1, 2, 3])],
            .pong
        ),
    ]

    static let flowAndSettings = [
        Misuse("an increment of nothing, for the connection", [.windowUpdate(0)], protocolError),
        Misuse("an increment of nothing, for a stream", [open, .windowUpdate(0, stream: 1)], protocolError),
        Misuse("too much room in the connection", [.windowUpdate(0x7fff_ffff)], .connectionError(3)),
        Misuse("too much room in a stream", [open, .windowUpdate(0x7fff_ffff, stream: 1)], .streamError(3)),
        Misuse("room in a stream that was never opened", [.windowUpdate(1, stream: 7)], protocolError),
        Misuse("an increment of three bytes", [Frame(kind: 8, payload: [0, 0, 1])], frameSizeError),
        Misuse("settings of five bytes", [Frame(kind: 4, payload: [0, 1, 0, 0, 0])], frameSizeError),
        Misuse("settings on a stream", [Frame(kind: 4, stream: 1)], protocolError),
        Misuse(
            "settings that are acknowledged with contents",
            [Frame(kind: 4, flags: 1, payload: [0, 1, 0, 0, 0, 0])],
            frameSizeError
        ),
        Misuse("a window over 2^31", [.settings([(4, 0x8000_0000)])], .connectionError(3)),
        Misuse("a frame size of 1", [.settings([(5, 1)])], protocolError),
        Misuse("push that is neither on nor off", [.settings([(2, 2)])], protocolError),
        Misuse(
            "a window that makes an open one too large",
            [open, .windowUpdate(0x7fff_0000, stream: 1), .settings([(4, 0x7fff_ffff)])],
            .streamError(3)
        ),
        Misuse("an unknown setting", [.settings([(0x1234, 5)])], .pong),
        Misuse("a PING of seven bytes", [Frame(kind: 6, payload: [1, 2, 3, 4, 5, 6, 7])], frameSizeError),
        Misuse(
            "a PING on a stream",
            [Frame(kind: 6, stream: 1, payload: [UInt8](repeating: 0, count: 8))],
            protocolError
        ),
        Misuse("a reset of a stream that was never opened", [.reset(8, stream: 9)], protocolError),
        Misuse("a reset of stream 0", [.reset(8, stream: 0)], protocolError),
        Misuse(
            "a reset of three bytes",
            [open, Frame(kind: 3, stream: 1, payload: [0, 0, 8])],
            frameSizeError
        ),
        Misuse(
            "a priority of four bytes",
            [Frame(kind: 2, stream: 1, payload: [0, 0, 0, 0])],
            frameSizeError
        ),
        Misuse("a priority on stream 0", [Frame(kind: 2, payload: [0, 0, 0, 0, 0])], protocolError),
        Misuse("GOAWAY of four bytes", [Frame(kind: 7, payload: [0, 0, 0, 0])], frameSizeError),
        Misuse(
            "GOAWAY on a stream",
            [Frame(kind: 7, stream: 1, payload: [UInt8](repeating: 0, count: 8))],
            protocolError
        ),
        Misuse(
            "GOAWAY within a call",
            [open, .goAway(last: 0), .data(Frame.message([]), flags: 1)],
            .status(0)
        ),
    ]

    private static func request(_ fields: [Field]) -> [Frame] {
        [.headers(fields), .data(Frame.message([]), flags: Frame.Flags.endStream)]
    }

    static let fields = [
        Misuse("a name in capitals", request(Field.request() + [Field("Upper", "x")]), .streamError(1)),
        Misuse("no method", request(Field.request().setting(":method", nil)), .streamError(1)),
        Misuse("no path", request(Field.request().setting(":path", nil)), .streamError(1)),
        Misuse("no scheme", request(Field.request().setting(":scheme", nil)), .streamError(1)),
        Misuse("an empty path", request(Field.request().setting(":path", "")), .streamError(1)),
        Misuse("two methods", request([Field(":method", "POST")] + Field.request()), .streamError(1)),
        Misuse("a response's field", request([Field(":status", "200")] + Field.request()), .streamError(1)),
        Misuse(
            "an unknown field of HTTP's own",
            request([Field(":what", "x")] + Field.request()),
            .streamError(1)
        ),
        Misuse(
            "a field of HTTP's own after the others",
            request(Field.request().setting(":path", nil) + [Field(":path", "/")]),
            .streamError(1)
        ),
        Misuse(
            "a field of the connection",
            request(Field.request() + [Field("connection", "close")]),
            .streamError(1)
        ),
        Misuse("te is not trailers", request(Field.request().setting("te", "gzip")), .streamError(1)),
        Misuse(
            "a line break in a value",
            request(Field.request() + [Field("x", "a\r\nb: c")]),
            .streamError(1)
        ),
        Misuse(
            "trailers with a field of HTTP's own",
            [open, .headers([Field(":path", "/")], flags: 5)],
            .streamError(1)
        ),
        Misuse(
            "trailers that do not end the stream",
            [open, .headers([Field("x", "y")], flags: 4)],
            .streamError(1)
        ),
        Misuse(
            "less content than was announced",
            request(Field.request() + [Field("content-length", "9")]),
            .streamError(1)
        ),
        Misuse(
            "more content than was announced",
            request(Field.request() + [Field("content-length", "1")]),
            .streamError(1)
        ),
        Misuse(
            "two lengths of the content",
            request(Field.request() + [Field("content-length", "5"), Field("content-length", "5")]),
            .streamError(1)
        ),
        Misuse(
            "a content length that is no number",
            request(Field.request() + [Field("content-length", "x")]),
            .streamError(1)
        ),
    ]

    static let calls = [
        Misuse("not POST", request(Field.request().setting(":method", "GET")), .http(405)),
        Misuse("another content", request(Field.request().setting("content-type", "text/html")), .http(415)),
        Misuse("no content type", request(Field.request().setting("content-type", nil)), .http(415)),
        Misuse(
            "a content type that only begins like ours",
            request(Field.request().setting("content-type", "application/grpcweb")),
            .http(415)
        ),
        // gRPC's own values may begin and end with spaces, which HTTP/2's may not.
        Misuse("a value between spaces", request(Field.request() + [Field("x", " y ")]), .status(0)),
        Misuse("te in capitals", request(Field.request().setting("te", "Trailers")), .status(0)),
        Misuse(
            "a content length of many digits",
            request(Field.request() + [Field("content-length", "000000000005")]),
            .status(0)
        ),
        Misuse("an unknown method", request(Field.request("Nothing")), .status(12)),
        Misuse(
            "an unknown encoding",
            request(Field.request() + [Field("grpc-encoding", "zstd")]),
            .status(12)
        ),
        Misuse(
            "a timeout without a unit",
            request(Field.request() + [Field("grpc-timeout", "10")]),
            .status(13)
        ),
        Misuse(
            "a timeout of nine digits",
            request(Field.request() + [Field("grpc-timeout", "123456789S")]),
            .status(13)
        ),
        Misuse("a negative timeout", request(Field.request() + [Field("grpc-timeout", "-1S")]), .status(13)),
        Misuse(
            "a timeout with a sign",
            request(Field.request() + [Field("grpc-timeout", "+1S")]),
            .status(13)
        ),
        Misuse("an empty timeout", request(Field.request() + [Field("grpc-timeout", "")]), .status(13)),
        Misuse(
            "a timeout of no time",
            [.headers(Field.request("Converse") + [Field("grpc-timeout", "0n")])],
            .status(4)
        ),
        Misuse(
            "the longest timeout",
            request(Field.request() + [Field("grpc-timeout", "99999999H")]),
            .status(0)
        ),
        Misuse("unknown flags", [open, .data(Frame.message([], flags: 2))], .status(13)),
        Misuse("compressed without an encoding", [open, .data(Frame.message([1], flags: 1))], .status(13)),
        Misuse(
            "damaged compression",
            [
                .headers(Field.request() + [Field("grpc-encoding", "gzip")]),
                .data(Frame.message([1, 2], flags: 1), flags: 1),
            ],
            .status(13)
        ),
        Misuse(
            "a message over the limit",
            [open, .data(Frame.message([], claiming: 0xffff_ffff))],
            .status(8)
        ),
        Misuse(
            "a message that is cut off",
            [open, .data(Frame.message([1, 2], claiming: 3), flags: 1)],
            .status(13)
        ),
        Misuse("a prefix that is cut off", [open, .data([0, 0], flags: 1)], .status(13)),
        Misuse("no request at all", [finished], .status(13)),
        Misuse("bytes that are no message", [open, .data(Frame.message([0xff]))], .status(13)),
        Misuse(
            "text that is not UTF-8",
            [.headers(Field.request()), .data(Frame.message([0x0a, 1, 0xff]), flags: 1)],
            .status(13)
        ),
        Misuse(
            // The handler does not wait for a second one.
            "two requests of a unary call",
            [.headers(Field.request()), .data(Frame.message([]) + Frame.message([]), flags: 1)],
            .status(0)
        ),
    ]
}
