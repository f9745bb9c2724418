// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Messages
internal import System

/// The first bytes that a process prints, read from its keeper's stream socket; the rest is read and dropped, so that
/// the process does not wait for a reader.
package struct ProbeOutput: Sendable {
    private static let bytesAtOnce = 64 << 10
    private static let streams: ClosedRange<UInt8> = 1...2
    private static let endOfOutput: UInt8 = 3

    package private(set) var bytes: [UInt8] = []
    /// The keeper has said that nothing follows.
    package private(set) var isAtEnd = false
    private let limit: Int
    /// Of each stream; a next connection goes on from there.
    private var received: [UInt8: UInt64] = [:]
    private var acknowledged: [UInt8: UInt64] = [:]
    private var header: [UInt8] = []
    private var left = 0

    package init(limit: Int) { self.limit = limit }

    /// Reads one connection to its end.
    /// - Throws: when there is no keeper to connect to; `CancellationError`.
    mutating func read(from socketPath: String, exec: String, poller: Poller) async throws {
        let socket = SharedDescriptor(try UnixSocket.connect(.stream, to: socketPath, nonBlocking: true))
        let request = KeeperV1.StreamRequest(
            execId: exec,
            attachOutput: true,
            stdoutPosition: received[1] ?? 0,
            stderrPosition: received[2] ?? 0
        ).serialized()
        let length = (0..<4).map { UInt8(truncatingIfNeeded: request.count >> (8 * $0)) }
        // A new connection has room for a hundred bytes.
        try Files.writeAll(socket.raw, length + request)
        // A new keeper does not know what was acknowledged.
        (header, left, acknowledged) = ([], 0, [:])
        try acknowledge(to: socket)
        while !isAtEnd {
            var isEmpty = false
            do throws(SystemError) {
                let some = try Files.readSome(socket.raw, limit: Self.bytesAtOnce)
                if some.isEmpty { return }
                take(some)
                try acknowledge(to: socket)
            } catch {
                if error.name == "ECONNRESET" || error.code == ErrorNumber.brokenPipe { return }
                guard error.code == ErrorNumber.tryAgain else { throw error }
                isEmpty = true
            }
            // A probe that prints without end leaves others their turns.
            if isEmpty { try await poller.readable(socket) } else { await Task.yield() }
        }
    }

    private mutating func acknowledge(to socket: SharedDescriptor) throws(SystemError) {
        for stream in Self.streams {
            let count = received[stream] ?? 0
            guard count > acknowledged[stream] ?? 0 else { continue }
            let position = (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
            try Files.writeAll(socket.raw, [stream, 0, 0, 0, 0, 0, 0, 8] + position)
            acknowledged[stream] = count
        }
    }

    /// The keeper's frames: kind u8 at 0, three zero bytes, length u32 big-endian at 4, the bytes.
    package mutating func take(_ some: [UInt8]) {
        var rest = some[...]
        while !rest.isEmpty {
            if header.count < 8 {
                let part = rest.prefix(8 - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == 8 else { return }
                left = header[4...].reduce(0) { $0 << 8 | Int($1) }
                if header[0] == Self.endOfOutput { isAtEnd = true }
            }
            let piece = rest.prefix(left)
            left -= piece.count
            rest = rest.dropFirst(piece.count)
            if Self.streams.contains(header[0]) {
                received[header[0], default: 0] += UInt64(piece.count)
                bytes += piece.prefix(limit - bytes.count)
            }
            if left == 0 { header = [] }
        }
    }
}
