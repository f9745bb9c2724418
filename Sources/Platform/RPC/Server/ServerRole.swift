// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import Synchronization

/// The server's end of a connection: turns requests into handlers' tasks, which it cancels when their call is gone.
final class ServerRole: ConnectionRole {
    let dispatcher: Dispatcher
    private let peer: PeerCredentials?
    private let mailbox: Mailbox
    private let onDisconnect: () -> Void
    private var certificate: [UInt8]?
    private var lastMethod: (path: String, method: ServedMethod)?
    /// Requests whose handlers are being started, the next one last.
    private var waiting: [CallStream] = []

    /// A handler may go on when its call was reset, and the call makes room for another: so many run, or wait for their request, at
    /// most. Twice what may be open leaves them time to notice.
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

    func begin() -> CallStream? { CallStream(mailbox: mailbox, messageLimit: dispatcher.messageLimit) }

    // MARK: - Requests

    func received(
        _ headers: ReceivedHeaders,
        endsStream: Bool,
        for call: CallStream,
        _ connection: Connection
    ) {
        guard !call.record.hasBegun, !call.record.isFinished else {
            // A client's trailers: only the end counts.
            if endsStream { receivedEnd(of: call, connection) }
            return
        }
        do throws(Refusal) {
            try start(headers, call, connection)
            if endsStream { receivedEnd(of: call, connection) }
        } catch {
            refuse(call, error, connection)
        }
    }

    private enum Refusal: Error {
        case http(Int)
        case status(RPCError)
    }

    private func start(
        _ headers: ReceivedHeaders,
        _ call: CallStream,
        _ connection: Connection
    ) throws(Refusal) {
        guard !headers.isTooLarge else {
            throw .status(RPCError(.resourceExhausted, "the metadata is too large"))
        }
        guard headers.isPost else { throw .http(405) }
        guard headers.content == .grpc else { throw .http(415) }
        guard let method = method(at: headers.path) else {
            throw .status(RPCError(.unimplemented, "unknown method \(headers.path.prefix(Self.shownPath))"))
        }
        guard mailbox.handlers.load(ordering: .relaxed) < Self.handlerLimit,
            dispatcher.runningCount < Self.serverLimit
        else {
            throw .status(
                RPCError(
                    .resourceExhausted,
                    "too many calls are served, those that have ended and still run counted"
                )
            )
        }
        guard headers.encoding != .other else {
            throw .status(RPCError(.unimplemented, "unknown grpc-encoding; gzip and identity are known"))
        }
        let deadline = try Self.deadline(of: headers)
        call.request.method = method
        call.request.peer = peer
        if let certificate { call.request.certificate = certificate }
        if headers.hasMetadata { call.request.metadata = headers.metadata }
        call.request.acceptsCompression = headers.acceptsGzip
        call.request.deadline = deadline
        call.record.hasBegun = true
        call.record.deframer.allowsCompression = headers.encoding == .gzip
        connection.schedule(call, deadline)
        dispatcher.noteStart(of: call)
        // Whatever ends the call from here on takes it from those that are counted.
        call.record.beginning = .withRequest
        if !method.awaitsRequest { begin(call, connection) }
    }

    private func begin(_ call: CallStream, _ connection: Connection) {
        guard call.record.beginning == .withRequest else { return }
        call.record.beginning = .soon
        connection.beginners.append(call)
    }

    func receivedMessage(of call: CallStream, _ connection: Connection) { begin(call, connection) }

    func startHandlers(of calls: inout [CallStream]) {
        swap(&calls, &waiting)
        waiting.reverse()
        while let call = startUpToNextQuick() { Worker.start(with: call, for: self) }
        waiting.removeAll(keepingCapacity: true)
        swap(&calls, &waiting)
    }

    /// The next request whose handler runs on the loop. Those before it are started, each as a task of its own.
    func startUpToNextQuick() -> CallStream? {
        while let call = waiting.popLast() {
            // It may be over already: reset, or no message at all.
            guard call.record.beginning == .soon else { continue }
            call.record.beginning = .no
            if call.request.method?.isQuick == true { return call }
            Worker.startApart(call, dispatcher)
        }
        return nil
    }

    /// A client mostly calls the method that it called before.
    private func method(at path: String) -> ServedMethod? {
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

    private func refuse(_ call: CallStream, _ refusal: Refusal, _ connection: Connection) {
        call.end(.failed(RPCError(.cancelled, "refused")))
        switch refusal {
        case .http(let status):
            connection.respond(.refusal(httpStatus: status), for: call, isLast: true)
        case .status(let error):
            connection.respond(.responseTrailers(error), for: call, isLast: true)
        }
    }

    func receivedEnd(of call: CallStream, _ connection: Connection) {
        guard call.record.deframer.isBetweenMessages else {
            abort(call, RPCError(.internal, "the request ends within a message"), connection)
            return
        }
        call.receiveHalfClose()
        // It sends no request; its handler says so.
        begin(call, connection)
    }

    func received(_ violation: RPCError, for call: CallStream, _ connection: Connection) {
        abort(call, violation, connection)
    }

    func timedOut(_ call: CallStream, _ connection: Connection) {
        abort(call, RPCError(.deadlineExceeded, "the deadline has passed"), connection)
    }

    /// Tells the client the error, and the handler that its call is over.
    private func abort(_ call: CallStream, _ error: RPCError, _ connection: Connection) {
        dropHandler(of: call, error)
        guard !call.record.isFinished, call.end(.failed(error), status: error) else { return }
        cancelHandler(of: call)
        call.dropOutput()
        if call.record.isOpened {
            connection.resume(call)
        } else {
            connection.respond(.responseTrailers(error), for: call, isLast: true)
        }
    }

    // MARK: - Answers

    func open(_ call: CallStream, _ opening: CallStream.Opening, _ connection: Connection) {
        guard !call.record.isFinished else { return }
        if case .trailers(let error, let trailing) = opening.closing {
            let block = HeaderBlock.responseTrailers(error, initial: opening.metadata, trailing: trailing)
            connection.respond(block, for: call, isLast: true)
        } else {
            let block = HeaderBlock.response(opening.metadata, isCompressed: opening.isCompressed)
            connection.respond(block, for: call, isLast: false)
        }
    }

    func closed(_ call: CallStream, code: UInt32) {
        // Nearly always: the handler is done, and its status was sent.
        if call.record.isFinished, code == NGHTTP2_NO_ERROR.rawValue {
            call.end(.finished, isGone: true)
        } else {
            end(call, RPCError(.cancelled, "the client has cancelled the call"))
        }
    }

    func lost(_ call: CallStream, reason: String) { end(call, RPCError(.cancelled, reason)) }

    /// Does nothing to a handler that is done.
    private func end(_ call: CallStream, _ error: RPCError) {
        dropHandler(of: call, error)
        call.end(.failed(error), isGone: true)
        cancelHandler(of: call)
    }

    /// The call is over before its handler was started, if it was not.
    private func dropHandler(of call: CallStream, _ error: RPCError) {
        guard call.record.beginning != .no else { return }
        call.record.beginning = .no
        dispatcher.drop(call, error)
    }

    /// Tells the handler that its call is gone. Does nothing to one that is done.
    private func cancelHandler(of call: CallStream) {
        switch call.record.runner {
        case .task(let task): task.cancel()
        case .worker(let worker): worker.cancel(call)
        case nil: break
        }
    }

    func settled() {}

    func dismissed(asksTooOften: Bool) {}

    func secured(_ agreement: SecureAgreement) { certificate = agreement.peerCertificate }

    func disconnected(reason: String) { onDisconnect() }
}
