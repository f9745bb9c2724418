// SPDX-License-Identifier: Apache-2.0
import Foundation
internal import Synchronization

/// A TCP proxy on a loopback port that hands on so many bytes of each connection's answers and then breaks it. Made by
/// `withCuttingProxy`.
package final class CuttingProxy: Sendable {
    /// "127.0.0.1:PORT".
    package let address: String
    private let listener: Int32
    private let target: UInt16
    private let limit: Int

    private struct State {
        var connections: Set<Int32> = []
        var cuts = 0
        var ranges = 0
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// How many connections were broken.
    package var cuts: Int { state.withLock { $0.cuts } }
    /// How many requests asked for the rest of something.
    package var ranges: Int { state.withLock { $0.ranges } }

    init(to target: String, cuttingAfter limit: Int) throws {
        self.target = target.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        self.limit = limit
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw POSIXFailure("socket") }
        var own = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        guard withAddress(&own, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0,
            withAddress(&own, { pointer, _ in getsockname(listener, pointer, &size) }) == 0
        else { throw POSIXFailure("listen") }
        address = "127.0.0.1:\(UInt16(bigEndian: own.sin_port))"
        Thread.detachNewThread { self.accept() }
    }

    func end() {
        let open = state.withLock { state in
            state.hasEnded = true
            return state.connections
        }
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = loopback(port: target)
            guard server >= 0, withAddress(&address, { connect(server, $0, $1) }) == 0,
                state.withLock({ state in
                    state.connections.formUnion([client, server])
                    return !state.hasEnded
                })
            else {
                close(client)
                if server >= 0 { close(server) }
                continue
            }
            let both = DispatchGroup()
            Thread.detachNewThread(in: both) { self.pass(from: client, to: server, limit: nil) }
            Thread.detachNewThread(in: both) { self.pass(from: server, to: client, limit: self.limit) }
            both.notify(queue: .global()) {
                self.state.withLock { $0.connections.subtract([client, server]) }
                close(client)
                close(server)
            }
        }
        close(listener)
    }

    /// Until one side closes, or `limit` is reached; then neither side gets anything more.
    private func pass(from source: Int32, to destination: Int32, limit: Int?) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var left = limit ?? .max
        while left > 0 {
            let count = recv(source, &buffer, min(buffer.count, left), 0)
            guard count > 0 else { break }
            if limit == nil { note(buffer[..<count]) } else { left -= count }
            guard send(destination, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        if left == 0 { state.withLock { $0.cuts += 1 } }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(destination, Int32(SHUT_RDWR))
    }

    private func note(_ request: ArraySlice<UInt8>) {
        guard String(decoding: request, as: UTF8.self).lowercased().contains("\r\nrange:") else { return }
        state.withLock { $0.ranges += 1 }
    }
}

extension Thread {
    /// A thread that `group` knows.
    fileprivate static func detachNewThread(in group: DispatchGroup, _ body: @escaping @Sendable () -> Void) {
        group.enter()
        detachNewThread {
            body()
            group.leave()
        }
    }
}

/// A proxy before a server on loopback, for the time of `body`.
package func withCuttingProxy<Result>(
    isolation: isolated (any Actor)? = #isolation,
    to target: String,
    cuttingAfter limit: Int,
    _ body: (CuttingProxy) async throws -> Result
) async throws -> Result {
    let proxy = try CuttingProxy(to: target, cuttingAfter: limit)
    defer { proxy.end() }
    return try await body(proxy)
}
