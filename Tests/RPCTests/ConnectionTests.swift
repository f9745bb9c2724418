// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Services
import Synchronization
import System
import TestMessages
import TestSupport
import Testing

/// Servers that are not there, go away, come back; peers that do not speak HTTP/2.
struct ConnectionTests {
    @Test func withoutAServerCallsFailAtOnce() async throws {
        let client = TestV1.EchoClient(channel: Channel(unixSocket: "/nonexistent/echo.sock"))
        let start = ContinuousClock.now
        await expectFailure(.unavailable) { try await client.say(.init()) }
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    /// A call that is ordered in the same moment as its connection's end.
    @Test func aCallThatMeetsTheEndOfItsChannelEnds() async throws {
        try await withEcho { _, _, _, socket in
            for _ in 0..<300 {
                let channel = Channel(unixSocket: socket)
                let client = TestV1.EchoClient(channel: channel)
                _ = try await client.say(.init())
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            // Whether it is answered or fails: not by the deadline.
                            let error = await failure {
                                try await client.say(.init(), options: .init(timeout: .seconds(30)))
                            }
                            #expect(error == nil || error?.code == .unavailable, "\(error as Any)")
                        }
                    }
                    group.addTask { await channel.close() }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func waitingForAServerEndsAtTheDeadline() async throws {
        let client = TestV1.EchoClient(channel: Channel(unixSocket: "/nonexistent/echo.sock"))
        let options = CallOptions(timeout: .milliseconds(200), waitForReady: true)
        await expectFailure(.deadlineExceeded) { try await client.say(.init(), options: options) }
    }

    @Test func aServerThatComesBackIsFoundAgain() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/echo.sock"
            let client = TestV1.EchoClient(channel: Channel(unixSocket: path))
            for round in 0..<3 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        let options = CallOptions(timeout: .seconds(20), waitForReady: true)
                        let response = try await client.say(.init(count: UInt32(round)), options: options)
                        #expect(response.count == UInt32(round))
                    }
                    try await Task.sleep(for: .milliseconds(50))
                    let server = makeServer(Echo())
                    try listen(server, at: path, in: &group)
                    try await group.next()
                    server.gracefulShutdown()
                    try await group.waitForAll()
                }
                await expectFailure(.unavailable) { try await client.say(.init()) }
            }
        }
    }

    @Test func aServerThatIsCancelledFailsItsCallsCleanly() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/echo.sock"
            let client = TestV1.EchoClient(channel: Channel(unixSocket: path))
            let echo = Echo()
            let server = makeServer(echo)
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, in: &group)
                let responses = try await client.repeat(
                    .init(count: 1, behaviour: "wait"),
                    options: .init(waitForReady: true)
                )
                expect(try await responses.next() != nil)
                group.cancelAll()
                await expectFailure(.unavailable) { try await responses.next() }
                try await group.waitForAll()
            }
            #expect(echo.seen.withLock { $0.cancelled } == 1)
        }
    }

    @Test func drainingLetsCallsFinish() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/echo.sock"
            let client = TestV1.EchoClient(channel: Channel(unixSocket: path))
            let server = makeServer(Echo(), gracePeriod: .seconds(20))
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, in: &group)
                try await client.converse(options: .init(waitForReady: true)) { requests, responses in
                    try await requests.write(.init(text: "before"))
                    expect(try await responses.next()?.text == "before")
                    server.gracefulShutdown()
                    try await Task.sleep(for: .milliseconds(50))
                    try await requests.write(.init(text: "after"))
                    expect(try await responses.next()?.text == "after")
                    requests.finish()
                    expect(try await responses.next() == nil)
                }
                try await group.waitForAll()
            }
            await expectFailure(.unavailable) { try await client.say(.init()) }
        }
    }

    /// A handler that is cut off can tell whose end it is, whether the time is up or `serve` is cancelled.
    @Test(arguments: [true, false])
    func whoeverIsCutOffKnowsThatTheServerEnds(isGraceful: Bool) async throws {
        final class Witness: ServerInterceptor {
            let isStopping = Mutex(false)
            let seen = Mutex<[Bool]>([])

            func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws
            {
                do { try await proceed() } catch {
                    seen.withLock { $0.append(isStopping.withLock { $0 }) }
                    throw error
                }
            }
        }
        try await withTemporaryDirectory { directory in
            let path = directory + "/echo.sock"
            let client = TestV1.EchoClient(channel: Channel(unixSocket: path))
            let witness = Witness()
            let server = makeServer(Echo(), interceptors: [witness]) {
                witness.isStopping.withLock { $0 = true }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, in: &group)
                // The first one leaves by itself, while nobody ends the server.
                for count in 1...2 {
                    let request = TestV1.EchoRequest(count: 1, behaviour: "wait")
                    let responses = try await client.repeat(request, options: .init(waitForReady: true))
                    expect(try await responses.next() != nil)
                    if count == 1 {
                        responses.cancel()
                    } else if isGraceful {
                        server.gracefulShutdown()
                    } else {
                        group.cancelAll()
                    }
                    expect(try await eventually { witness.seen.withLock { $0.count } == count })
                }
                _ = try? await group.waitForAll()
            }
            #expect(witness.seen.withLock { $0 } == [false, true])
        }
    }

    @Test func drainingEndsEndlessCallsAfterTheGracePeriod() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/echo.sock"
            let client = TestV1.EchoClient(channel: Channel(unixSocket: path))
            let server = makeServer(Echo())
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, in: &group)
                let request = TestV1.EchoRequest(count: 1, behaviour: "wait")
                let responses = try await client.repeat(request, options: .init(waitForReady: true))
                _ = try await responses.next()
                server.gracefulShutdown()
                await expectFailure(.unavailable) { try await responses.next() }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: [
        Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [UInt8](repeating: 0, count: 100),
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [UInt8](repeating: 0xff, count: 5000),
        [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
    ])
    func garbageEndsOnlyItsConnection(bytes: [UInt8]) async throws {
        try await withEcho { client, _, _, path in
            let socket = try UnixSocket.connect(.stream, to: path, nonBlocking: true)
            try Files.writeAll(socket.raw, bytes)
            let raw = socket.raw
            let isClosed = try await eventually { isAtEnd(raw) }
            #expect(isClosed)
            expect(try await client.say(.init(text: "still there")).text == "still there")
        }
    }

    /// Whether the peer has closed; what it said before does not matter.
    private func isAtEnd(_ socket: Int32) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = buffer.withUnsafeMutableBytes { try? Files.read(socket, into: $0) }
            guard let count else { return false }
            if count == 0 { return true }
        }
    }

    @Test func healthIsServed() async throws {
        try await withEcho { _, _, server, path in
            let channel = Channel(unixSocket: path)
            let health = GrpcHealthV1.HealthClient(channel: channel)
            expect(try await health.check(.init()).status == .serving)
            expect(try await health.check(.init(service: "petrel.test.v1.Echo")).status == .serving)
            await expectFailure(.notFound) { try await health.check(.init(service: "what")) }
            let watch = try await health.watch(.init())
            expect(try await watch.next()?.status == .serving)
            server.gracefulShutdown()
            expect(try await watch.next()?.status == .notServing)
            expect(try await watch.next() == nil)
            await channel.close()
        }
    }

    @Test func aClosedChannelRefusesCalls() async throws {
        try await withEcho { _, _, _, path in
            let channel = Channel(unixSocket: path)
            let client = TestV1.EchoClient(channel: channel)
            _ = try await client.say(.init())
            await channel.close()
            await expectFailure(.unavailable) { try await client.say(.init()) }
        }
    }

    /// A server whose queue is full does not answer at all.
    @Test(.timeLimit(.minutes(1)))
    func closingAChannelEndsWhoWaitsForItsConnection() async throws {
        let listener = try InternetSocket.listen(on: "127.0.0.1", port: 0, backlog: 0)
        let port = try InternetSocket.port(of: listener.raw)
        let address = try #require(try InternetAddress.resolve("127.0.0.1", port: port).first)
        var others: [SharedDescriptor] = []
        for _ in 0..<4 { others.append(SharedDescriptor(try address.connect())) }
        let channel = Channel(to: .tcp(host: "127.0.0.1", port: Int(port)))
        let start = ContinuousClock.now
        let call = Task { await failure { try await TestV1.EchoClient(channel: channel).say(.init()) } }
        try await Task.sleep(for: .milliseconds(200))
        let before = try socketsOnTheirWay(to: port)
        await channel.close()
        let error = await call.value
        #expect(error?.code == .unavailable && error?.message.contains("closed") == true, "\(error as Any)")
        #expect(ContinuousClock.now - start < .seconds(15))
        expect(try await eventually { (try? socketsOnTheirWay(to: port)) == before - 1 })
        withExtendedLifetime(others) {}
    }

    /// Sockets of this network namespace in the state SYN_SENT.
    private func socketsOnTheirWay(to port: UInt16) throws -> Int {
        let end = ":" + String(port, radix: 16, uppercase: true)
        return try Files.text(of: "/proc/self/net/tcp").split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[3] == "02" && fields[2].hasSuffix(end)
        }
    }

    /// It would never be ready.
    @Test(.timeLimit(.minutes(1)))
    func whatDoesNotListenIsRefused() async throws {
        let pipe = try Pipe()
        let raw = try pipe.readEnd.duplicate().relinquish()
        await expectFailure(.unavailable) {
            try await makeServer(Echo()).serve(listening: Descriptor(adopting: raw))
        }
        withExtendedLifetime(pipe) {}
    }

    @Test func aServerThatHasEndedIsForgotten() async throws {
        final class Ended: @unchecked Sendable { weak var server: RPCServer? }
        let ended = Ended()
        try await withEcho { client, _, server, _ in
            _ = try await client.say(.init())
            ended.server = server
        }
        expect(try await eventually { ended.server == nil })
    }

    /// TCP throws away what its peer has not fetched yet when something comes for a socket that is closed.
    @Test(.timeLimit(.minutes(3)))
    func whatAServerSaysLastArrivesThoughItsClientStillSpeaks() async throws {
        for _ in 0..<20 {
            let heard = try await lastWords(of: makeServer(Echo(), gracePeriod: .seconds(20)))
            if heard.count >= 32 * Self.wordSize, heard.hasEnded { return }
            // The server waits for two seconds after the first, which it leaves to an answer. A machine that was too busy for
            // that says nothing about it.
            guard heard.nanos > 2_500_000_000 else {
                Issue.record("\(heard.count) bytes came")
                return
            }
        }
        Issue.record("the machine is too busy to fetch a megabyte in a second and a half")
    }

    private static let wordSize = 32 << 10

    /// What a client fetches late, and how long after the server's end began it had done so.
    private func lastWords(
        of server: RPCServer
    ) async throws -> (count: Int, hasEnded: Bool, nanos: Int64) {
        let listener = try InternetSocket.listen(on: "127.0.0.1", port: 0)
        let port = try InternetSocket.port(of: listener.raw)
        let raw = listener.relinquish()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve(listening: Descriptor(adopting: raw)) }
            let heard = try await blocking { () -> (Int, Bool, Int64) in
                let peer = try RawPeer.connect(toPort: port, settings: [(4, 0x7fff_ffff)])
                try peer.send(Frame.windowUpdate(0x7fff_0000 - 65_535))
                let request = TestV1.EchoRequest(
                    data: [UInt8](repeating: 1, count: Self.wordSize),
                    count: 32
                )
                try peer.send(Frame.headers(Field.request("Repeat")))
                try peer.send(Frame.data(Frame.message(request.serialized()), flags: Frame.Flags.endStream))
                // A connection that still waits for the server would be refused by its end.
                try eventually("the answer begins to come", within: 60) {
                    try Splice.available(in: peer.socket.raw) >= Self.wordSize
                }
                // All of it is the kernel's, and the connection at its end.
                pass(seconds: 0.5)
                let start = Clock.bootNanos
                server.gracefulShutdown()
                pass(seconds: 1.2)
                var (count, hasEnded) = (0, false)
                // What comes too late for the server may find nobody.
                do {
                    for _ in 0..<3 {
                        try peer.send(Frame.ping())
                        pass(seconds: 0.05)
                    }
                    while let frame = try peer.next() {
                        if frame.kind == Frame.Kind.data { count += frame.payload.count }
                        if frame.kind == Frame.Kind.headers {
                            hasEnded = frame.flags & Frame.Flags.endStream != 0
                        }
                    }
                } catch {}
                return (count, hasEnded, Clock.bootNanos - start)
            }
            try await group.waitForAll()
            return heard
        }
    }
}
