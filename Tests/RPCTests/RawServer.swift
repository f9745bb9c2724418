// SPDX-License-Identifier: Apache-2.0
import RPC
import Synchronization
import System
import TestMessages
import TestSupport
import Testing

/// Accepts connections and does with each what a script says, on a thread of its own.
private final class RawServer: Sendable {
    typealias Script = @Sendable (_ peer: RawPeer, _ number: Int) throws -> Void

    private let running = Mutex(0)
    private let listener: Int32

    var isIdle: Bool { running.withLock { $0 == 0 } }

    init(listener: consuming Descriptor, _ script: @escaping Script) throws {
        self.listener = listener.relinquish()
        try start { [self] in
            let owner = Descriptor(adopting: self.listener)
            var number = 0
            while let socket = try? StreamSocket.accept(owner.raw) {
                // A thread's closure cannot own a descriptor, but the number is owned by it alone.
                let raw = socket.relinquish()
                let current = number
                try? start {
                    guard let peer = try? RawPeer(Descriptor(adopting: raw)) else { return }
                    try? script(peer, current)
                }
                number += 1
            }
        }
    }

    private func start(_ body: @escaping @Sendable () -> Void) throws {
        running.withLock { $0 += 1 }
        try Threads.start { [self] in
            body()
            running.withLock { $0 -= 1 }
        }
    }

    func stop() { UnixSocket.shutDown(listener) }
}

/// Runs `body` with a client of a server that does with each connection what `script` says.
func withRawServer(
    _ script: @escaping @Sendable (_ peer: RawPeer, _ number: Int) throws -> Void,
    _ body: @escaping @Sendable (TestV1.EchoClient) async throws -> Void
) async throws {
    try await withRawChannel(script) { try await body(TestV1.EchoClient(channel: $0)) }
}

/// The same with the channel, which `body` may close itself.
func withRawChannel(
    security: (any TransportSecurity)? = nil,
    keepAlive: KeepAlive? = nil,
    config: ServiceConfig = ServiceConfig(),
    _ script: @escaping @Sendable (_ peer: RawPeer, _ number: Int) throws -> Void,
    _ body: @escaping @Sendable (Channel) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let path = directory + "/raw.sock"
        let server = try RawServer(listener: try UnixSocket.listen(.stream, at: path), script)
        let channel = Channel(
            to: .unixSocket(path),
            security: security,
            keepAlive: keepAlive,
            config: config
        )
        try await body(channel)
        await channel.close()
        server.stop()
        let isIdle = try await eventually { server.isIdle }
        expect(isIdle)
    }
}

extension RawPeer {
    /// The server's part up to the first call's headers.
    func greet() throws {
        guard try readPreface() else { return }
        try send(Frame.settings())
        try send(Frame.settingsAck)
        while let frame = try next(), frame.kind != Frame.Kind.headers {}
    }

    /// An empty message, and that all went well.
    func answer(_ stream: UInt32) throws {
        try send(Frame.headers(Field.answer, stream: stream))
        try send(Frame.data(Frame.message([]), stream: stream))
        let ending = Frame.Flags.endHeaders | Frame.Flags.endStream
        try send(Frame.headers([Field("grpc-status", "0")], stream: stream, flags: ending))
    }
}
