// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import System

/// `RUN/init.sock`: takes requests, and answers each when what it asks for has come about.
///
/// Bounded: so many connections, one request at a time on each, none longer than 64 KiB. Root only.
struct ControlSocket: ~Copyable {
    /// What a request still waits for.
    enum Condition {
        case ready([String], failuresAllowed: [String: UInt32])
        case stopped([String])
    }

    struct Connection {
        let socket: SharedDescriptor
        var waiting: Condition?
        var deadline: Int64?
    }

    static let connectionLimit = 64
    static let requestLimit = 64 << 10

    private let listener: Descriptor
    private(set) var connections: [Connection] = []

    init(at path: String) throws(SystemError) {
        listener = try UnixSocket.listen(.sequencedPacket, at: path, mode: 0o600, nonBlocking: true)
    }

    /// The listener (only while there is room for another connection), then the connections.
    var pollEntries: [Poll.Entry] {
        [Poll.Entry(listener.raw, connections.count < Self.connectionLimit ? .readable : [])]
            + connections.map { Poll.Entry($0.socket.raw, $0.waiting == nil ? .readable : []) }
    }

    var deadline: Int64? { connections.compactMap(\.deadline).min() }

    var hasPending: Bool { connections.contains { $0.waiting != nil } }

    /// Reads what `poll` found; `entries` are `pollEntries` after the wait.
    mutating func handle(_ entries: [Poll.Entry], _ answer: (InitV1.Request) -> ControlAnswer) {
        var gone: Set<Int> = []
        for (index, entry) in entries.dropFirst().enumerated() where !entry.found.isEmpty {
            if !receive(index, answer) { gone.insert(index) }
        }
        connections = connections.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
        if let listening = entries.first, !listening.found.isEmpty { accept() }
    }

    /// Answers the requests whose wait is over.
    mutating func settle(now: Int64, _ outcome: (Condition, Bool) -> InitV1.Reply?) {
        for index in connections.indices {
            guard let waiting = connections[index].waiting else { continue }
            let isLate = connections[index].deadline.map { $0 <= now } ?? false
            guard let reply = outcome(waiting, isLate) else { continue }
            connections[index].waiting = nil
            connections[index].deadline = nil
            send(reply, to: connections[index].socket)
        }
    }

    private mutating func accept() {
        while connections.count < Self.connectionLimit,
            let socket = try? StreamSocket.accept(listener.raw, nonBlocking: true)
        {
            let shared = SharedDescriptor(socket)
            guard let peer = try? SocketMessages.peer(of: shared.raw), peer.uid == 0 else {
                send(InitV1.Reply(error: "only root may control the daemons"), to: shared)
                continue
            }
            connections.append(Connection(socket: shared))
        }
    }

    /// - Returns: false when the connection is over.
    private mutating func receive(_ index: Int, _ answer: (InitV1.Request) -> ControlAnswer) -> Bool {
        let socket = connections[index].socket
        do throws(SystemError) {
            let received = try SocketMessages.receive(socket.raw, limit: Self.requestLimit)
            guard !received.bytes.isEmpty else { return false }
            guard !received.isTruncated, let request = try? InitV1.Request(serialized: received.bytes) else {
                send(InitV1.Reply(error: "request not understood"), to: socket)
                return false
            }
            switch answer(request) {
            case .now(let reply): send(reply, to: socket)
            case .when(let condition, let deadline):
                connections[index].waiting = condition
                connections[index].deadline = deadline
            }
            return true
        } catch {
            return error.name == "EAGAIN"
        }
    }

    /// A client that does not take its reply has lost it.
    private func send(_ reply: InitV1.Reply, to socket: SharedDescriptor) {
        try? SocketMessages.send(socket.raw, reply.serialized())
    }
}

/// What becomes of a request.
enum ControlAnswer {
    case now(InitV1.Reply)
    /// Later: when the condition holds, or at the deadline (boot time).
    case when(ControlSocket.Condition, deadline: Int64?)
}
