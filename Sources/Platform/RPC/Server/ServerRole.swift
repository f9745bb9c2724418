// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2

/// The server's end of a connection: turns requests into handlers' tasks, which it cancels when their call is gone.
final class ServerRole: ConnectionRole {
    private let dispatcher: Dispatcher
    private let peer: PeerCredentials?
    private let mailbox: Mailbox
    private let onDisconnect: () -> Void

    var isServer: Bool { true }

    init(
        dispatcher: Dispatcher,
        peer: PeerCredentials?,
        mailbox: Mailbox,
        onDisconnect: @escaping () -> Void
    ) {
        self.dispatcher = dispatcher
        self.peer = peer
        self.mailbox = mailbox
        self.onDisconnect = onDisconnect
    }

    func begin(_ id: Int32, _ connection: Connection) -> StreamRecord? {
        // The deadline is not known before the headers are complete; until then this stands for the call.
        let call = CallStream(mailbox: mailbox, deadline: nil)
        call.id = id
        return StreamRecord(call)
    }

    // MARK: - Requests

    func received(
        _ headers: ReceivedHeaders,
        endsStream: Bool,
        for record: StreamRecord,
        _ connection: Connection
    ) {
        guard record.context == nil, !record.isFinished else {
            // A client's trailers: only the end counts.
            if endsStream { receivedEnd(of: record, connection) }
            return
        }
        do throws(Refusal) {
            try start(headers, record, connection)
            if endsStream { receivedEnd(of: record, connection) }
        } catch {
            refuse(record, error, connection)
        }
    }

    private enum Refusal: Error {
        case http(Int)
        case status(RPCError)
    }

    private func start(
        _ headers: ReceivedHeaders,
        _ record: StreamRecord,
        _ connection: Connection
    ) throws(Refusal) {
        guard !headers.isTooLarge else {
            throw .status(RPCError(.resourceExhausted, "the metadata is too large"))
        }
        guard headers.pseudo[":method"] == "POST" else { throw .http(405) }
        guard let type = headers.contentType,
            type == "application/grpc" || type.hasPrefix("application/grpc+")
                || type.hasPrefix("application/grpc;")
        else { throw .http(415) }
        let path = headers.pseudo[":path"] ?? ""
        guard let method = dispatcher.method(at: path) else {
            throw .status(RPCError(.unimplemented, "unknown method \(path)"))
        }
        if let encoding = headers.encoding, encoding != "identity" {
            throw .status(RPCError(.unimplemented, "unknown encoding \(encoding)"))
        }
        var deadline: ContinuousClock.Instant?
        if let text = headers.timeout {
            guard let timeout = StatusEncoding.decode(timeout: text) else {
                throw .status(RPCError(.internal, "bad grpc-timeout"))
            }
            deadline = .now + timeout
        }
        let call = CallStream(mailbox: mailbox, deadline: deadline)
        call.id = record.call.id
        record.call = call
        let context = CallContext(method: path, peer: peer, metadata: headers.metadata, deadline: deadline)
        record.context = context
        connection.schedule(record)
        record.task = dispatcher.start(method, call, context)
    }

    private func refuse(_ record: StreamRecord, _ refusal: Refusal, _ connection: Connection) {
        record.call.end(.failed(RPCError(.cancelled, "refused")))
        switch refusal {
        case .http(let status):
            var block = HeaderBlock()
            block.add(":status", String(status))
            connection.respond(block, for: record, isLast: true)
        case .status(let error):
            connection.respond(.trailers(error, [:], opening: true), for: record, isLast: true)
        }
    }

    func receivedEnd(of record: StreamRecord, _ connection: Connection) {
        guard record.deframer.isBetweenMessages else {
            abort(record, RPCError(.internal, "the request ends within a message"), connection)
            return
        }
        record.call.receiveHalfClose()
    }

    func received(_ violation: RPCError, for record: StreamRecord, _ connection: Connection) {
        abort(record, violation, connection)
    }

    func timedOut(_ record: StreamRecord, _ connection: Connection) {
        abort(record, RPCError(.deadlineExceeded, "the deadline has passed"), connection)
    }

    /// Tells the client the error, and the handler that its call is over.
    private func abort(_ record: StreamRecord, _ error: RPCError, _ connection: Connection) {
        guard !record.isFinished, record.call.end(.failed(error), status: error) else { return }
        record.task?.cancel()
        record.call.dropOutput()
        if record.isOpened {
            connection.resume(record)
        } else {
            connection.respond(.trailers(error, [:], opening: true), for: record, isLast: true)
        }
    }

    // MARK: - Answers

    func open(_ record: StreamRecord, closing: CallStream.Closing?, _ connection: Connection) {
        guard !record.isFinished else { return }
        let initial = record.context?.initialMetadata ?? [:]
        if case .trailers(let error, let trailing) = closing {
            var block = HeaderBlock.response(initial)
            block.append(.trailers(error, trailing, opening: false))
            connection.respond(block, for: record, isLast: true)
        } else {
            connection.respond(.response(initial), for: record, isLast: false)
        }
    }

    func closed(_ record: StreamRecord, code: UInt32) {
        end(record, RPCError(.cancelled, "the client has cancelled the call"))
    }

    func lost(_ record: StreamRecord, reason: String) { end(record, RPCError(.cancelled, reason)) }

    /// Does nothing to a handler that is done.
    private func end(_ record: StreamRecord, _ error: RPCError) {
        record.call.end(.failed(error))
        record.task?.cancel()
    }

    func settled() {}

    func dismissed() {}

    func disconnected(reason: String) { onDisconnect() }
}
