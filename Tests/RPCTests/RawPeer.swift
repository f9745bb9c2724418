// SPDX-License-Identifier: Apache-2.0
import System
import Testing

/// One end of a connection that writes whatever bytes it is given, and reads frames. It blocks: for threads of its own.
final class RawPeer {
    let socket: Descriptor
    private var received: [UInt8] = []
    private var isAtEnd = false

    private static let ignoresSIGPIPE: Void = Signal.pipe.ignore()

    init(_ socket: consuming Descriptor) throws {
        _ = Self.ignoresSIGPIPE
        try UnixSocket.setSendTimeout(socket.raw, milliseconds: 2000)
        self.socket = socket
    }

    /// A client's end: its preface and settings are sent, and that it understands no dynamic table.
    /// - Parameter settings: More of them.
    static func connect(
        to path: String,
        settings: [(id: UInt16, value: UInt32)] = []
    ) throws -> RawPeer {
        try begin(try RawPeer(try UnixSocket.connect(.stream, to: path)), settings)
    }

    /// The same over TCP, on this machine.
    static func connect(
        toPort port: UInt16,
        settings: [(id: UInt16, value: UInt32)] = []
    ) throws -> RawPeer {
        let address = try #require(try InternetAddress.resolve("127.0.0.1", port: port).first)
        let socket = try address.connect()
        var entries = [Poll.Entry(socket.raw, .writable)]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos(after: .seconds(20)))
        try Files.setNonBlocking(socket.raw, false)
        return try begin(try RawPeer(socket), settings)
    }

    private static func begin(
        _ peer: RawPeer,
        _ settings: [(id: UInt16, value: UInt32)]
    ) throws -> RawPeer {
        try peer.send(Frame.preface)
        try peer.send(Frame.settings([(1, 0)] + settings))
        // The server has sent its own on accepting; they hold when they are acknowledged.
        try peer.send(Frame.settingsAck)
        return peer
    }

    /// - Returns: False when the peer is gone (which reading shows), or takes no more for two seconds.
    @discardableResult
    func send(_ bytes: [UInt8]) throws -> Bool {
        do { try Files.writeAll(socket.raw, bytes) } catch {
            guard ["EPIPE", "ECONNRESET", "EAGAIN"].contains(error.name) else { throw error }
            return false
        }
        return true
    }

    @discardableResult
    func send(_ frame: Frame) throws -> Bool { try send(frame.bytes) }

    /// Sends the same again and again, until the peer is gone or takes no more.
    func flood(_ bytes: [UInt8], count: Int) throws {
        let step = 1000
        let flood = [[UInt8]](repeating: bytes, count: step).flatMap { $0 }
        for _ in 0..<count / step where try !send(flood) { return }
    }

    /// Whether the peer closes, though what it has sent is not read.
    func hasHungUp(within seconds: Double) throws -> Bool {
        var entries = [Poll.Entry(socket.raw, [])]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + Int64(seconds * 1e9))
        return entries[0].found.contains(.hungUp)
    }

    /// Ends the connection; the number is given back with the object.
    func close() { UnixSocket.shutDown(socket.raw) }

    /// The next frame; nil at the end, or when none has come in time.
    func next(within seconds: Double = 60) throws -> Frame? {
        let deadline = Clock.bootNanos + Int64(seconds * 1e9)
        while true {
            if let frame = takeFrame() { return frame }
            guard !isAtEnd else { return nil }
            var entries = [Poll.Entry(socket.raw)]
            try Poll.wait(&entries, deadlineNanos: deadline)
            guard !entries[0].found.isEmpty else { return nil }
            try read()
        }
    }

    /// Reads until the peer closes.
    /// - Returns: False when it did not in time.
    func awaitEnd(within seconds: Double = 60) throws -> Bool {
        let deadline = Clock.bootNanos + Int64(seconds * 1e9)
        while !isAtEnd, Clock.bootNanos < deadline {
            var entries = [Poll.Entry(socket.raw)]
            try Poll.wait(&entries, deadlineNanos: deadline)
            if !entries[0].found.isEmpty { try read() }
            received = []
        }
        return isAtEnd
    }

    /// Skips 24 bytes, which a client begins with.
    func readPreface() throws -> Bool {
        while received.count < Frame.preface.count, !isAtEnd { try read() }
        guard received.starts(with: Frame.preface) else { return false }
        received.removeFirst(Frame.preface.count)
        return true
    }

    private func read() throws {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count: Int
        do {
            count = try buffer.withUnsafeMutableBytes { try Files.read(socket.raw, into: $0) }
        } catch {
            // The peer closed before it had read everything.
            count = 0
        }
        if count == 0 { isAtEnd = true }
        received += buffer.prefix(count)
    }

    private func takeFrame() -> Frame? {
        guard received.count >= 9 else { return nil }
        let length = Int(received[0]) << 16 | Int(received[1]) << 8 | Int(received[2])
        guard received.count >= 9 + length else { return nil }
        let stream = received[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let frame = Frame(
            kind: received[3],
            flags: received[4],
            stream: stream,
            payload: Array(received[9..<9 + length])
        )
        received.removeFirst(9 + length)
        return frame
    }
}

/// What a peer does about what it was sent.
enum Reaction: Hashable, CustomStringConvertible {
    /// GOAWAY with this code, then the end of the connection.
    case connectionError(UInt32)
    /// RST_STREAM.
    case streamError(UInt32)
    /// How a call ended.
    case status(Int)
    case http(Int)
    /// The PING after it is answered: it was ignored.
    case pong
    /// The end without GOAWAY.
    case end

    var description: String {
        switch self {
        case .connectionError(let code): "GOAWAY \(code)"
        case .streamError(let code): "RST_STREAM \(code)"
        case .status(let code): "grpc-status \(code)"
        case .http(let status): "HTTP \(status)"
        case .pong: "PING answered"
        case .end: "end"
        }
    }
}

extension RawPeer {
    /// Reads until `expected` is seen, or the end, or the time is over.
    /// - Returns: All that was seen.
    func reactions(until expected: Reaction) throws -> [Reaction] {
        var seen: [Reaction] = []
        var goAway: UInt32?
        while let frame = try next() {
            switch frame.kind {
            case Frame.Kind.goAway where frame.payload.count >= 8:
                goAway = frame.payload[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
            case Frame.Kind.reset:
                seen.append(.streamError(frame.payload.reduce(0) { $0 << 8 | UInt32($1) }))
            case Frame.Kind.headers:
                let status = ReceivedStatus(block: frame.payload)
                if let code = status.grpc { seen.append(.status(code)) }
                if let code = status.http { seen.append(.http(code)) }
            case Frame.Kind.ping where frame.flags & Frame.Flags.ack != 0: seen.append(.pong)
            default: break
            }
            if seen.contains(expected) { return seen }
        }
        guard isAtEnd else { return seen }
        return seen + [goAway.map { .connectionError($0) } ?? .end]
    }
}
