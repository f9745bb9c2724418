// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import NIOCore
internal import NIOTLS

/// One HTTP/2 connection: a channel handler around an nghttp2 session, on one event loop.
///
/// It owns the session and the records of the open streams. Tasks reach it through its mailbox. nghttp2 must not be
/// asked for output inside its callbacks, so they only change state; `flush` follows once, when the batch is done.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let mailbox: Mailbox
    let role: any ConnectionRole
    let loop: any EventLoop
    var session: OpaquePointer?
    var records = StreamTable()
    /// Requests whose handlers are to be started when all that has arrived is read.
    var beginners: [StreamRecord] = []
    /// Calls that have something new to send.
    var speakers: [CallStream] = []
    /// What a chunk of data has completed; kept for its memory.
    var completed: [WireMessage] = []
    /// What is to be written next.
    var output = WriteBatch()
    /// Received, and not yet given back to the peer as room in the connection.
    var withheldBytes = 0
    /// Of messages whose rest is still to come, of all streams.
    var incompleteBytes = 0
    var headerCache = HeaderCache()
    /// The header list that is arriving; they do not mix.
    var headers = ReceivedHeaders()
    /// Of the header lists of all open streams.
    var headerBytes = 0

    /// Something has arrived since the last look.
    var hasHeard = false
    /// A PING of ours is on its way, and nothing has come since.
    var isAsking = false
    /// How many were sent.
    var questions = 0
    /// The peer's settings have arrived.
    var isGreeted = false
    var greetingTimer: Scheduled<Void>?
    var pings = PingGuard()
    /// To this connection, until it has ended.
    let reference = Reference()

    private let keepAlive: KeepAlive?
    private let security: (any TransportSecurity)?
    var context: ChannelHandlerContext?
    var hasStarted = false
    var isFlushing = false
    private var isReading = false
    /// nghttp2 is at work.
    var isBusy: Bool { isFlushing || isReading }
    var isClosing = false
    private var isGivenUp = false
    var isPaused = false
    /// What is written goes straight to this socket, as long as it takes it; nil where it must go through the
    /// channel, as with TLS. It is the channel's, which closes it: used while that is active only.
    let socket: NIOBSDSocket.Handle?
    /// Batches, or rests of them, that wait in the channel's queue.
    var queuedBatches = 0
    private var drain = Drain.none
    var failure = "the connection was closed"

    private enum Drain { case none, announced, final }

    init(
        mailbox: Mailbox,
        role: any ConnectionRole,
        loop: any EventLoop,
        keepAlive: KeepAlive?,
        security: (any TransportSecurity)?,
        socket: NIOBSDSocket.Handle?
    ) {
        self.socket = socket
        self.keepAlive = keepAlive
        self.security = security
        self.mailbox = mailbox
        self.role = role
        self.loop = loop
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        session = makeSession()
        reference.connection = self
        mailbox.attach(self)
        if context.channel.isActive { start() }
    }

    func channelActive(context: ChannelHandlerContext) { start() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let session, !isClosing else { return }
        hasHeard = true
        isAsking = false
        let buffer = unwrapInboundIn(data)
        isReading = true
        let isSpeaking = LoopExecutor.shared.turn {
            defer { isReading = false }
            let result = buffer.withUnsafeReadableBytes { bytes in
                nghttp2_session_mem_recv(
                    session,
                    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    bytes.count
                )
            }
            guard result < 0 else { return true }
            failure =
                "the peer does not speak HTTP/2: \(String(cString: nghttp2_strerror(Int32(result))))"
            nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR.rawValue)
            return false
        }
        guard !isSpeaking else { return }
        // What nghttp2 has to say about it (GOAWAY) is sent first.
        flush()
        closeAfterWrites()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        startHandlers()
        flush()
    }

    /// Handlers see what came with their request at once, and what the quick ones answer goes out together.
    private func startHandlers() {
        guard !beginners.isEmpty else { return }
        LoopExecutor.shared.turn {
            for record in beginners { role.startHandler(of: record) }
            beginners.removeAll(keepingCapacity: true)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { flush() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = "the connection failed: \(error)"
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func start() {
        guard let session, !hasStarted else { return }
        hasStarted = true
        submitSettings(session)
        flush()
        awaitGreeting()
        if let keepAlive { self.keepAlive(keepAlive) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let security, case .handshakeCompleted(let agreed)? = event as? TLSUserEvent {
            guard agreed == "h2" else {
                return giveUp("the peer does not agree to HTTP/2 (ALPN: \(agreed ?? "nothing"))")
            }
            if let reason = security.refusal(of: context.channel) { return giveUp(reason) }
            role.secured()
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Closes the connection at once.
    func giveUp(_ reason: String) {
        guard session != nil, !isGivenUp else { return }
        isGivenUp = true
        failure = reason
        // What still arrives is nobody's: a peer that was refused must not be taken for one that is ready.
        isClosing = true
        context?.close(promise: nil)
    }

    /// What nghttp2 is to say goes out first.
    func flushLater(_ body: @escaping @Sendable (Connection) -> Void) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute {
            guard bound.value.session != nil else { return }
            bound.value.flush()
            body(bound.value)
        }
    }

    /// Fails what is left; nghttp2 does not report open streams when its session goes.
    private func end() {
        guard let session else { return }
        self.session = nil
        reference.connection = nil
        stopAwaitingGreeting()
        isClosing = true
        let dropped = mailbox.close()
        beginners = []
        speakers = []
        for record in records.removeAll() {
            record.timer?.cancel()
            record.call.dropOutput()
            role.lost(record, reason: failure)
        }
        for case .open(let call, _, _) in dropped {
            call.end(.failed(RPCError(.unavailable, failure)), isUnprocessed: true)
        }
        role.disconnected(reason: failure)
        nghttp2_session_del(session)
        context = nil
    }

    // MARK: - Orders

    func carryOut(_ orders: [Mailbox.Order]) {
        for call in speakers { sendOutput(of: call) }
        speakers.removeAll(keepingCapacity: speakers.capacity <= 64)
        for order in orders {
            switch order {
            case .open(let call, let headers, let deadline): open(call, headers, deadline)
            case .output(let call): sendOutput(of: call)
            case .consumed(let call, let count): giveBack(count, call.id)
            case .room: giveBackWithheld()
            case .cancel(let call):
                // A call that was cancelled before it was opened has no record.
                if let record = records[call.id], record.call === call { reset(record, NGHTTP2_CANCEL) }
            case .drain: beginDrain()
            case .close: giveUp("the connection was closed")
            }
        }
        flush()
    }

    func open(_ call: CallStream, _ headers: HeaderBlock, _ deadline: Deadline?) {
        guard !call.hasEnded else { return }
        // Ordered together with the connection's end: the mailbox has no more of it.
        guard let session, !isClosing else {
            call.end(.failed(RPCError(.unavailable, failure)), isUnprocessed: true)
            return
        }
        var provider = makeProvider()
        let id = headers.withFields { nghttp2_submit_request(session, nil, $0, $1, &provider, nil) }
        guard id > 0 else {
            call.end(
                .failed(RPCError(.unavailable, "the connection takes no more calls")),
                isUnprocessed: true
            )
            return
        }
        call.id = id
        let record = StreamRecord(call, deadline: deadline)
        records.add(record, as: id)
        _ = call.acknowledgeOutput()
        schedule(record)
    }

    private func sendOutput(of call: CallStream) {
        guard let session, let record = records[call.id], record.call === call else { return }
        let closing = call.acknowledgeOutput()
        if role.isServer, !record.isOpened {
            role.open(record, closing: closing, self)
        } else {
            // INVALID_ARGUMENT says that nothing was waiting: nghttp2 will ask anyway.
            _ = nghttp2_session_resume_data(session, record.id)
        }
    }

    /// Makes the deadline's timer, where there is a deadline.
    func schedule(_ record: StreamRecord) {
        guard let deadline = record.deadline else { return }
        let connection = NIOLoopBound(self, eventLoop: loop)
        let bound = NIOLoopBound(record, eventLoop: loop)
        record.timer = loop.scheduleTask(in: .nanoseconds(deadline.remainingNanos)) {
            let connection = connection.value
            guard connection.session != nil else { return }
            connection.role.timedOut(bound.value, connection)
            connection.flush()
        }
    }

    // MARK: - For the roles

    /// Ends a stream at once, in both directions.
    func reset(_ record: StreamRecord, _ code: nghttp2_error_code) {
        record.call.dropOutput()
        guard let session else { return }
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), record.id, code.rawValue)
    }

    /// Server: opens the answer; with `closing`, that is all there is.
    func respond(_ headers: HeaderBlock, for record: StreamRecord, isLast: Bool) {
        guard let session else { return }
        record.isOpened = true
        record.isFinished = isLast
        var provider = makeProvider()
        _ = headers.withFields { fields, count in
            if isLast {
                nghttp2_submit_response(session, record.id, fields, count, nil)
            } else {
                nghttp2_submit_response(session, record.id, fields, count, &provider)
            }
        }
    }

    /// nghttp2 asks for output again.
    func resume(_ record: StreamRecord) {
        guard let session else { return }
        _ = nghttp2_session_resume_data(session, record.id)
    }

    /// Gives room for `count` bytes back to the peer.
    func giveBack(_ count: Int, _ id: Int32) {
        guard let session, count > 0, id > 0 else { return }
        _ = nghttp2_session_consume_stream(session, id, count)
    }

    // MARK: - Ending

    /// Two GOAWAY frames: the first lets calls that are on their way in, the second follows when the peer has seen it.
    private func beginDrain() {
        guard let session, drain == .none else { return }
        drain = .announced
        nghttp2_submit_shutdown_notice(session)
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: .seconds(1)) {
            bound.value.finishDrain()
            bound.value.flush()
        }
    }

    /// The peer has answered the ping, or will not.
    func finishDrain() {
        guard let session, drain == .announced else { return }
        drain = .final
        let last = nghttp2_session_get_last_proc_stream_id(session)
        nghttp2_submit_goaway(
            session,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            last,
            NGHTTP2_NO_ERROR.rawValue,
            nil,
            0
        )
    }
}
