// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Synchronization
import System
import TestMessages
import TestSupport
import Testing

/// Clients that send too much, or read too little: what they cost has a bound, and others do not notice.
@Suite(.serialized)
struct FloodTests {
    private static let call = Frame.headers(Field.request("Converse"))

    /// What is sent again and again, after a call was opened on stream 1.
    struct Flood: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let frame: Frame
        let count: Int
    }

    // MARK: - Ended

    /// The client reads none of the answers.
    @Test(arguments: [
        Flood(testDescription: "PING", frame: .ping(), count: 1_000_000),
        Flood(testDescription: "settings", frame: .settings(), count: 1_000_000),
        Flood(testDescription: "settings with contents", frame: .settings([(4, 1), (4, 2)]), count: 300_000),
    ])
    func whoFloodsIsSentAway(flood: Flood) async throws {
        try await withFlood { peer in
            try peer.send(Self.call)
            try peer.flood(flood.frame.bytes, count: flood.count)
            return try peer.hasHungUp(within: 60)
        }
    }

    @Test func rapidResetsAreLimited() async throws {
        try await withFlood { peer in
            var stream: UInt32 = 1
            for _ in 0..<1000 {
                var bytes: [UInt8] = []
                for _ in 0..<1000 {
                    bytes += Frame(kind: 1, flags: 4, stream: stream, payload: Self.call.payload).bytes
                    bytes += Frame.reset(8, stream: stream).bytes
                    stream += 2
                }
                if try !peer.send(bytes) { break }
            }
            return try peer.awaitEnd()
        }
    }

    @Test(arguments: [0, 1000])
    func headersMayNotGoOnForEver(size: Int) async throws {
        try await withFlood { peer in
            try peer.send(Frame(kind: 1, flags: 0, stream: 1, payload: Array(Self.call.payload)))
            let more = size == 0 ? [] : Field("x", String(repeating: "y", count: size)).bytes
            try peer.flood(Frame.continuation(more).bytes, count: 1000)
            return try peer.awaitEnd()
        }
    }

    // MARK: - Bounded

    /// Frames that mean nothing cost nothing but their reading.
    @Test(arguments: [
        Flood(testDescription: "data without bytes", frame: .data([]), count: 500_000),
        Flood(testDescription: "padding", frame: .data([1, 0], flags: Frame.Flags.padded), count: 300_000),
        Flood(testDescription: "unknown frames", frame: Frame(kind: 99, stream: 1), count: 500_000),
        Flood(testDescription: "room", frame: .windowUpdate(1, stream: 1), count: 300_000),
        Flood(
            testDescription: "priorities",
            frame: Frame(kind: 2, stream: 1, payload: [0, 0, 0, 3, 1]),
            count: 300_000
        ),
        Flood(testDescription: "empty messages", frame: .data(Frame.message([])), count: 50_000),
    ])
    func emptyFramesAreBounded(flood: Flood) async throws {
        try await withFlood { peer in
            try peer.send(Self.call)
            try peer.flood(flood.frame.bytes, count: flood.count)
            return true
        }
    }

    /// Priorities of streams that were never opened are forgotten.
    @Test func prioritiesOfOtherStreamsAreBounded() async throws {
        try await withFlood { peer in
            var bytes: [UInt8] = []
            for number in 1..<200_000 {
                bytes += Frame(kind: 2, stream: UInt32(2 * number + 1), payload: [0, 0, 0, 1, 1]).bytes
            }
            return try peer.send(bytes)
        }
    }

    /// Answers that nobody reads: refusals are not subject to flow control.
    @Test func refusalsThatNobodyReadsAreBounded() async throws {
        let path = Field(":path", "/" + String(repeating: "é", count: 1500))
        let block = Field.block(Field.request().map { $0.name == ":path" ? path : $0 })
        try await withFlood { peer in
            var stream: UInt32 = 1
            for _ in 0..<40 {
                let streams = (0..<1000).map { stream + 2 * UInt32($0) }
                stream += 2000
                let calls = streams.flatMap { Frame(kind: 1, flags: 5, stream: $0, payload: block).bytes }
                // It stops reading.
                guard try peer.send(calls) else { return true }
                guard try peer.send(streams.flatMap { Frame.reset(8, stream: $0).bytes }) else { return true }
            }
            return false
        }
    }

    /// A field of 3 KiB, that each call names nine times in nine bytes.
    @Test func largeHeadersOfManyCallsAreBounded() async throws {
        try await withFlood { peer in
            let value = String(repeating: "y", count: 3000)
            let entry = [0x40] + Field.text("x") + Field.text(value)
            let block = Field.block(Field.request("Converse"))
            var bytes = Frame(kind: 1, flags: 4, stream: 1, payload: block + entry).bytes
            for number in 1..<15_000 {
                let payload = block + [UInt8](repeating: 0xbe, count: 9)
                bytes += Frame(kind: 1, flags: 4, stream: UInt32(2 * number + 1), payload: payload).bytes
            }
            try peer.send(bytes)
            return try peer.reactions(until: .status(8)).contains(.status(8))
        }
    }

    /// The same field, 60,000 times in one list.
    @Test func aListThatUnpacksTooFarIsRefused() async throws {
        try await withFlood { peer in
            let value = String(repeating: "y", count: 3000)
            let payload =
                Field.block(Field.request()) + [0x40] + Field.text("x") + Field.text(value)
                + [UInt8](repeating: 0xbe, count: 60_000)
            try peer.send(Frame(kind: 1, flags: 4, stream: 1, payload: payload))
            let seen = try peer.reactions(until: .status(8))
            return seen.contains(.status(8)) || seen.contains(.connectionError(11))
        }
    }

    // MARK: - Readers

    /// 1000 calls want to send 1 MiB each, to a client that gives them no room.
    @Test func callsThatMayNotSendAreBounded() async throws {
        let size = 16 << 10
        try await withEcho { client, echo, _, path in
            let before = residentBytes()
            let peer = try await blocking {
                let peer = try Kept(RawPeer.connect(to: path, settings: [(4, 0)]))
                let request = TestV1.EchoRequest(data: [UInt8](repeating: 1, count: size), count: 64)
                let message = Frame.message(request.serialized())
                for number in 0..<1000 {
                    let stream = UInt32(2 * number + 1)
                    try peer.raw.send(Frame.headers(Field.request("Repeat"), stream: stream))
                    try peer.raw.send(Frame.data(message, stream: stream, flags: Frame.Flags.endStream))
                }
                return peer
            }
            try await settle { echo.seen.withLock { $0.written } }
            // What all calls of a connection may queue (64 MiB), and a message for each thread.
            let written = echo.seen.withLock { $0.written } * size
            #expect(written >= 32 << 20)
            #expect(written <= (64 << 20) + 64 * size)
            #expect(residentBytes() - before < 800 << 20)
            expect(try await client.say(.init(text: "unaffected"), options: quick).text == "unaffected")
            try await blocking { peer.raw.close() }
        }
    }

    /// A call may send as much as it likes, but nobody reads the socket.
    @Test func aCallThatNobodyReadsIsBounded() async throws {
        let size = 16 << 10
        try await withEcho { client, echo, _, path in
            let peer = try await blocking {
                let peer = try Kept(RawPeer.connect(to: path, settings: [(4, 0x7fff_ffff)]))
                try peer.raw.send(Frame.windowUpdate(0x7fff_0000 - 65_535))
                let request = TestV1.EchoRequest(data: [UInt8](repeating: 1, count: size), count: 10_000)
                try peer.raw.send(Frame.headers(Field.request("Repeat")))
                try peer.raw.send(Frame.data(Frame.message(request.serialized()), flags: 1))
                return peer
            }
            try await settle { echo.seen.withLock { $0.written } }
            let written = echo.seen.withLock { $0.written } * size
            #expect(written < 4 << 20)
            expect(try await client.say(.init(text: "unaffected"), options: quick).text == "unaffected")
            // A reader that is slow gets all of it.
            let received = try await blocking {
                var received = 0
                while received < 20 << 20, let frame = try peer.raw.next() {
                    if frame.kind == Frame.Kind.data { received += frame.payload.count }
                }
                peer.raw.close()
                return received
            }
            #expect(received >= 20 << 20)
        }
    }

    @Test func silentConnectionsDisturbNobody() async throws {
        try await withEcho { client, _, _, path in
            let before = residentBytes()
            let peers = try await blocking {
                try (0..<400).map { number in
                    number % 2 == 0
                        ? Kept(try RawPeer(try UnixSocket.connect(.stream, to: path)))
                        : Kept(try RawPeer.connect(to: path))
                }
            }
            expect(try await client.say(.init(text: "unaffected"), options: quick).text == "unaffected")
            #expect(residentBytes() - before < 100 << 20)
            try await blocking { for peer in peers { peer.raw.close() } }
        }
    }

    // MARK: - Around them

    private var quick: CallOptions { CallOptions(timeout: .seconds(60)) }

    /// Runs `attack` on a thread of its own with a connection, while another client calls; checks what it says, how
    /// much memory it took, and that no call of the other client took long.
    private func withFlood(_ attack: @escaping @Sendable (RawPeer) throws -> Bool) async throws {
        try await withEcho { client, _, _, path in
            let before = residentBytes()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    expect(try await blocking { try attack(try RawPeer.connect(to: path)) })
                }
                group.addTask {
                    let options = CallOptions(timeout: .seconds(60))
                    while !Task.isCancelled {
                        do {
                            expect(try await client.say(.init(text: "x"), options: options).text == "x")
                            try await Task.sleep(for: .milliseconds(10))
                        } catch  where Task.isCancelled {}
                    }
                }
                try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(residentBytes() - before < 400 << 20)
        }
    }

    /// Waits until a number no longer changes.
    private func settle(_ number: () -> Int) async throws {
        var before = -1
        for _ in 0..<100 where before <= 0 || number() != before {
            before = number()
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}

/// Handed from thread to thread, and used by one at a time.
private struct Kept: @unchecked Sendable {
    let raw: RawPeer

    init(_ raw: RawPeer) { self.raw = raw }
}

/// What the process has in memory, in bytes.
private func residentBytes() -> Int {
    let fields = (try? Files.text(of: "/proc/self/statm"))?.split(separator: " ") ?? []
    return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * 4096
}
