// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Messages
internal import System

/// The first bytes that a process prints, read from its keeper's stream socket; the rest is read and dropped, so that
/// the process does not wait for a reader.
package struct ProbeOutput: Sendable {
    private static let bytesAtOnce = 64 << 10

    package private(set) var bytes: [UInt8] = []
    private let limit: Int
    private var header: [UInt8] = []
    private var left = 0

    package init(limit: Int) { self.limit = limit }

    /// Reads one connection to its end.
    /// - Throws: when there is no keeper to connect to; `CancellationError`.
    mutating func read(from socketPath: String, exec: String, poller: Poller) async throws {
        let socket = SharedDescriptor(try UnixSocket.connect(.stream, to: socketPath, nonBlocking: true))
        let request = KeeperV1.StreamRequest(execId: exec, attachOutput: true).serialized()
        let length = (0..<4).map { UInt8(truncatingIfNeeded: request.count >> (8 * $0)) }
        // A new connection has room for a hundred bytes.
        try Files.writeAll(socket.raw, length + request)
        (header, left) = ([], 0)
        while true {
            do throws(SystemError) {
                let some = try Files.readSome(socket.raw, limit: Self.bytesAtOnce)
                if some.isEmpty { return }
                take(some)
                continue
            } catch {
                if error.name == "ECONNRESET" { return }
                guard error.code == ErrorNumber.tryAgain else { throw error }
            }
            try await poller.readable(socket)
        }
    }

    /// Frames of Docker's raw-stream format: stream u8 at 0, three zero bytes, length u32 big-endian at 4, the bytes.
    package mutating func take(_ some: [UInt8]) {
        var rest = some[...]
        while !rest.isEmpty {
            if left > 0 {
                let piece = rest.prefix(left)
                left -= piece.count
                rest = rest.dropFirst(piece.count)
                bytes += piece.prefix(limit - bytes.count)
                continue
            }
            let part = rest.prefix(8 - header.count)
            header += part
            rest = rest.dropFirst(part.count)
            guard header.count == 8 else { return }
            left = header[4...].reduce(0) { $0 << 8 | Int($1) }
            header = []
        }
    }
}
