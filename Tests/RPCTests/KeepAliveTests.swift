// SPDX-License-Identifier: Apache-2.0
import RPC
import System
import TestMessages
import TestSupport
import Testing

/// Peers that are gone without a word, and peers that ask too often.
@Suite(.timeLimit(.minutes(1)))
struct KeepAliveTests {
    /// It speaks HTTP/2, and then never again.
    @Test func aServerThatFallsSilentIsNoticed() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/silent.sock"
            let listener = try UnixSocket.listen(.stream, at: path)
            let keepAlive = KeepAlive(interval: .seconds(1), timeout: .milliseconds(300))
            let channel = Channel(to: .unixSocket(path), keepAlive: keepAlive)
            async let failure = failure { try await TestV1.EchoClient(channel: channel).say(.init()) }
            let raw = listener.raw
            let peer = Descriptor(adopting: try await blocking { try StreamSocket.accept(raw).relinquish() })
            // Empty SETTINGS.
            try Files.writeAll(peer.raw, [0, 0, 0, 4, 0, 0, 0, 0, 0])
            let error = await failure
            #expect(
                error?.code == .unavailable && error?.message.contains("not answered") == true,
                "\(error as Any)"
            )
            await channel.close()
        }
    }

    /// One that answers is left alone, also when its calls take long; whichever of the two times is the longer.
    @Test(arguments: [0.2, 3.0])
    func aServerThatAnswersIsLeftAlone(timeout: Double) async throws {
        try await withEcho { _, _, _, socket in
            let keepAlive = KeepAlive(interval: .seconds(1), timeout: .seconds(timeout))
            let channel = Channel(to: .unixSocket(socket), keepAlive: keepAlive)
            let options = CallOptions(timeout: .milliseconds(4500))
            await expectFailure(.deadlineExceeded) {
                try await TestV1.EchoClient(channel: channel).say(.init(behaviour: "sleep"), options: options)
            }
            #expect(channel.statistics.connections == 1)
            await channel.close()
        }
    }

    /// The server asks too: who answers is left alone, who does not is gone.
    @Test func aClientThatFallsSilentIsNoticed() async throws {
        let keepAlive = KeepAlive(interval: .seconds(1), timeout: .seconds(5), withoutCalls: true)
        try await withTemporaryDirectory { directory in
            let path = directory + "/asking.sock"
            let server = makeServer(Echo(), keepAlive: keepAlive)
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, in: &group)
                let pings = try await blocking {
                    let peer = try RawPeer.connect(to: path)
                    var pings = 0
                    while let frame = try? peer.next(within: 20) {
                        guard frame.kind == Frame.Kind.ping, frame.flags & Frame.Flags.ack == 0 else {
                            continue
                        }
                        pings += 1
                        if pings < 3 {
                            let answer = Frame(
                                kind: Frame.Kind.ping,
                                flags: Frame.Flags.ack,
                                payload: frame.payload
                            )
                            try peer.send(answer)
                        } else if try peer.awaitEnd(within: 20) {
                            return pings
                        }
                    }
                    return 0
                }
                #expect(pings == 3)
                server.gracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    @Test func whoAsksTooOftenIsSentAway() async throws {
        try await withEcho { _, _, _, socket in
            let peer = try UnixSocket.connect(.stream, to: socket)
            var bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
            for _ in 0..<4 { bytes += [0, 0, 8, 6, 0, 0, 0, 0, 0] + [1, 2, 3, 4, 5, 6, 7, 8] }
            try Files.writeAll(peer.raw, bytes)
            let raw = peer.raw
            let answer = try await blocking { try Files.contents(of: raw, limit: 1 << 16) }
            // GOAWAY: NGHTTP2_ENHANCE_YOUR_CALM, and why.
            let text = String(decoding: answer, as: UTF8.self)
            #expect(text.contains("too_many_pings"))
        }
    }

    /// Each complaint makes the client wait longer between its questions, up to a limit.
    @Test func complaintsWithoutEndDoNoHarm() async throws {
        try await withRawChannel(keepAlive: KeepAlive(interval: .seconds(20))) { peer, number in
            guard try peer.readPreface() else { return }
            try peer.send(Frame.settings())
            guard number > 0 else {
                try peer.send((0..<200).flatMap { _ in Frame.goAway(last: 0, 11).bytes })
                _ = try peer.awaitEnd()
                return
            }
            while let frame = try peer.next() {
                if frame.kind == Frame.Kind.headers { try peer.answer(frame.stream) }
            }
        } _: { channel in
            let client = TestV1.EchoClient(channel: channel)
            _ = await failure { try await client.say(.init()) }
            _ = try await client.say(.init(), options: .init(timeout: .seconds(20), waitForReady: true))
            #expect(channel.statistics.connections == 2)
        }
    }
}
