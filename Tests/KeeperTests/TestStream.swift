// SPDX-License-Identifier: Apache-2.0
import Glibc
import Messages
import System

/// A client of the stream socket that comes back after its keeper was killed.
final class TestStream {
    private let container: TestContainer
    private let request: KeeperV1.StreamRequest
    private var socket: SharedDescriptor
    /// Bytes of the present frame that have come, header included.
    private var buffer: [UInt8] = []
    private(set) var output: [UInt8: [UInt8]] = [1: [], 2: []]

    init(_ container: TestContainer, _ request: KeeperV1.StreamRequest) throws {
        self.container = container
        self.request = request
        socket = try Self.connect(container, request)
    }

    private static func connect(
        _ container: TestContainer,
        _ request: KeeperV1.StreamRequest
    ) throws -> SharedDescriptor {
        let socket = SharedDescriptor(
            try UnixSocket.connect(.stream, to: container.runDirectory + "/stream.sock")
        )
        let body = request.serialized()
        try Files.writeAll(
            socket.raw,
            (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
        )
        return socket
    }

    func write(_ bytes: [UInt8]) throws { try Files.writeAll(socket.raw, bytes) }

    func shutDown() { UnixSocket.shutDownSending(socket.raw) }

    /// Discards the frame that was cut, and connects anew.
    func reconnect() throws {
        try readAvailable()
        buffer = []
        socket = try Self.connect(container, request)
    }

    /// Reads what is there.
    /// - Returns: false at the end of the stream.
    @discardableResult
    func readAvailable() throws -> Bool {
        while true {
            var entries = [Poll.Entry(socket.raw)]
            try Poll.wait(&entries, deadlineNanos: Clock.bootNanos)
            if entries[0].found.isEmpty { return true }
            // A connection that was reset has ended too.
            guard let bytes = try? Files.readSome(socket.raw, limit: 64 << 10), !bytes.isEmpty else {
                return false
            }
            take(bytes)
        }
    }

    func readToEnd(within seconds: Double = 30) throws {
        let deadline = Clock.bootNanos + Int64(seconds * 1e9)
        while try readAvailable() {
            var entries = [Poll.Entry(socket.raw)]
            try Poll.wait(&entries, deadlineNanos: deadline)
            guard Clock.bootNanos < deadline else { throw TestFailure("the stream did not end") }
        }
    }

    /// Bytes of a frame count as they come: the keeper has taken them from the pipe.
    private func take(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if buffer.count < 8 {
                let part = rest.prefix(8 - buffer.count)
                buffer += part
                rest = rest.dropFirst(part.count)
                left = buffer.count == 8 ? buffer[4..<8].reduce(0) { $0 << 8 | Int($1) } : 0
                continue
            }
            let part = rest.prefix(left)
            output[buffer[0], default: []] += part
            left -= part.count
            rest = rest.dropFirst(part.count)
            if left == 0 { buffer = [] }
        }
    }

    private var left = 0
}

/// Looks until it is true.
func eventually(within seconds: Double = 20, _ condition: () throws -> Bool) throws {
    let deadline = Clock.bootNanos + Int64(seconds * 1e9)
    while try !condition() {
        guard Clock.bootNanos < deadline else { throw TestFailure("did not come true in \(seconds) s") }
        usleep(5000)
    }
}
