// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import Synchronization

/// The server's end of a connection: turns requests into handlers' tasks, which it cancels when their call is gone.
final class ServerRole: ConnectionRole {
    private let dispatcher: Dispatcher
    private let peer: PeerCredentials?
    private let mailbox: Mailbox
    private let onDisconnect: () -> Void
    private var certificate: [UInt8]?
    private var lastMethod: (path: String, method: Dispatcher.Method)?

    /// A handler may go on when its call was reset, and the call makes room for another: so many run at most.
    /// Twice what may be open leaves them time to notice.
    private static let handlerLimit = 2 * Int(Connection.concurrentStreams)
    /// The same for all connections of a server: who comes back on a new one has left handlers behind.
    private static let serverLimit = 2 * handlerLimit
    /// How much of a path that nobody serves is said back, in characters.
    private static let shownPath = 128

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
        let call = CallStream(mailbox: mailbox, messageLimit: dispatcher.messageLimit)
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
        guard !record.hasBegun, !record.isFinished else {
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
        guard headers.isPost else { throw .http(405) }
        guard headers.content == .grpc else { throw .http(415) }
        let path = headers.path
        guard let method = method(at: path) else {
            throw .status(RPCError(.unimplemented, "unknown method \(path.prefix(Self.shownPath))"))
        }
        // Those that come with the same read are not counted yet: no more than a read has room for.
        guard mailbox.handlers.load(ordering: .relaxed) < Self.handlerLimit,
            dispatcher.runningCount < Self.serverLimit
        else {
            throw .status(
                RPCError(.resourceExhausted, "too many handlers of calls that have ended still run")
            )
        }
        guard headers.encoding != .other else {
            throw .status(RPCError(.unimplemented, "unknown grpc-encoding; gzip and identity are known"))
        }
        let deadline = try Self.deadline(of: headers)
        let call = record.call
        let context = CallContext(
            call,
            method: path,
            peer: peer,
            certificate: certificate,
            headers,
            deadline: deadline
        )
        record.hasBegun = true
        record.deadline = deadline
        record.deframer.allowsCompression = headers.encoding == .gzip
        record.beginning = (method, context)
        connection.schedule(record)
        connection.beginners.append(record)
    }

    func startHandler(of record: StreamRecord) {
        // It may be over already: reset, or no message at all.
        guard let (method, context) = record.beginning.take(), !record.call.hasFailed else { return }
        record.task = dispatcher.start(method, record.call, context)
    }

    /// A client mostly calls the method that it called before.
    private func method(at path: String) -> Dispatcher.Method? {
        if let lastMethod, lastMethod.path == path { return lastMethod.method }
        guard let method = dispatcher.method(at: path) else { return nil }
        lastMethod = (path, method)
        return method
    }

    private static func deadline(of headers: ReceivedHeaders) throws(Refusal) -> Deadline? {
        guard let text = headers.timeout else { return nil }
        guard let timeout = StatusEncoding.decode(timeout: text) else {
            throw .status(RPCError(.internal, "bad grpc-timeout"))
        }
        return .after(timeout)
    }

    private func refuse(_ record: StreamRecord, _ refusal: Refusal, _ connection: Connection) {
        record.call.end(.failed(RPCError(.cancelled, "refused")))
        switch refusal {
        case .http(let status):
            connection.respond(.refusal(httpStatus: status), for: record, isLast: true)
        case .status(let error):
            connection.respond(.responseTrailers(error), for: record, isLast: true)
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
            connection.respond(.responseTrailers(error), for: record, isLast: true)
        }
    }

    // MARK: - Answers

    func open(_ record: StreamRecord, closing: CallStream.Closing?, _ connection: Connection) {
        guard !record.isFinished else { return }
        let (initial, isCompressed) = record.call.opening
        if case .trailers(let error, let trailing) = closing {
            let block = HeaderBlock.responseTrailers(error, initial: initial, trailing: trailing)
            connection.respond(block, for: record, isLast: true)
        } else {
            connection.respond(.response(initial, isCompressed: isCompressed), for: record, isLast: false)
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

    func dismissed(asksTooOften: Bool) {}

    func secured(_ agreement: SecureAgreement) { certificate = agreement.peerCertificate }

    func disconnected(reason: String) { onDisconnect() }
}
