// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// One connection to a keeper's stream socket. Reading and writing suspend, they do not block.
final class StreamConnection: Sendable {
    private static let bytesAtOnce = 64 << 10

    private let socket: SharedDescriptor
    private let poller: Poller

    /// Connects and sends `request`, framed as the keeper expects it.
    init(to path: String, request: [UInt8], poller: Poller) async throws {
        socket = SharedDescriptor(try UnixSocket.connect(.stream, to: path, nonBlocking: true))
        self.poller = poller
        let size = UInt32(request.count)
        let length = (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
        guard try await write(length + request).isEmpty else {
            throw SystemError("write", path: path, code: StreamConnection.brokenPipe)
        }
    }

    private static let brokenPipe: Int32 = 32

    /// What has come; empty at the end.
    func read() async throws -> [UInt8] {
        while true {
            do throws(SystemError) {
                return try Files.readSome(socket.raw, limit: StreamConnection.bytesAtOnce)
            } catch {
                if error.name == "ECONNRESET" { return [] }
                guard error.name == "EAGAIN" else { throw error }
            }
            try await poller.readable(socket)
        }
    }

    /// Writes all of it, unless the connection breaks.
    /// - Returns: What was not taken.
    func write(_ bytes: [UInt8]) async throws -> ArraySlice<UInt8> {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                rest = rest.dropFirst(
                    try Files.writeSome(socket.raw, rest.prefix(StreamConnection.bytesAtOnce))
                )
                continue
            } catch {
                if ["EPIPE", "ECONNRESET"].contains(error.name) { return rest }
                guard error.name == "EAGAIN" else { throw error }
            }
            try await poller.writable(socket)
        }
        return rest
    }
}
