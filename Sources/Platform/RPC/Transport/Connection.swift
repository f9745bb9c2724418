// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import Events
internal import System

/// One HTTP/2 connection: an nghttp2 session over a stream of bytes, on the event loop.
///
/// It owns the session and the calls of the open streams. Tasks reach it through its mailbox. nghttp2 must not be
/// asked for output inside its callbacks, so they only change state; `flush` follows once, when the batch is done.
final class Connection: ByteStream.User {
    let mailbox: Mailbox
    let role: any ConnectionRole
    let isServer: Bool
    let loop: EventLoop
    let stream: ByteStream
    var session: OpaquePointer?
    var calls = StreamTable()
    /// Requests whose handlers are to be started when what was read with them is received.
    var beginners: [CallStream] = []
    /// Calls that have something new to send.
    var speakers: [CallStream] = []
    /// What is to be written next: nothing, but while it is made ready.
    let output = WriteBatch.shared
    /// Received, and not yet given back to the peer as room in the connection.
    var withheldBytes = 0
    /// Of messages whose rest is still to come, of all streams.
    var incompleteBytes = 0
    var headerCache = HeaderCache()
    /// The header list that is arriving; they do not mix.
    let headers = ReceivedHeaders()
    /// It belongs to a stream that is not gone.
    var hasReader = false
    /// Of the header lists of all open streams, those that have arrived.
    var headerBytes = 0

    /// That were received with the same read.
    var frameCount = 0
    /// Something has arrived since the last look.
    var hasHeard = false
    /// A PING of ours is on its way, and nothing has come since.
    var isAsking = false
    /// How many were sent.
    var questions = 0
    /// The peer's settings have arrived.
    var isGreeted = false
    var greetingTimer: Timer?
    var pings = PingGuard()
    /// To this connection, until it has ended.
    let reference = Reference()

    private let keepAlive: KeepAlive?
    var isFlushing = false
    /// It goes on with it in the loop's next pass.
    var willFlush = false
    private var isReading = false
    /// nghttp2 is at work.
    var isBusy: Bool { isFlushing || isReading }
    var isClosing = false
    private var isGivenUp = false
    private var drain = Drain.none
    var failure = "the connection was closed"

    /// Client: it looks after its calls soon.
    private var willWatch = false

    /// Between two looks; a call may notice up to twice as much later that its task is cancelled.
    private static let watchTime = Duration.milliseconds(10)

    private enum Drain { case none, announced, final }

    init(
        mailbox: Mailbox,
        role: any ConnectionRole,
        loop: EventLoop,
        stream: ByteStream,
        keepAlive: KeepAlive?
    ) {
        self.mailbox = mailbox
        self.role = role
        isServer = role.isServer
        self.loop = loop
        self.stream = stream
        self.keepAlive = keepAlive
    }

    /// On the loop: begins to speak.
    /// - Throws: When the kernel cannot watch another socket.
    func start() throws(SystemError) {
        let session = makeSession()
        self.session = session
        reference.connection = self
        mailbox.attach(self)
        do throws(SystemError) { try stream.open(for: self) } catch {
            end()
            throw error
        }
        guard let session else { return }
        submitSettings(session)
        flush()
        awaitGreeting()
        if let keepAlive { self.keepAlive(keepAlive) }
    }

    // MARK: - The stream

    func received(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let session, !isClosing else { return 0 }
        hasHeard = true
        isAsking = false
        frameCount = 0
        isReading = true
        let result = nghttp2_session_mem_recv(
            session,
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
            bytes.count
        )
        isReading = false
        guard result < 0 else {
            giveBackWithheld()
            return frameCount
        }
        failure = "the peer does not speak HTTP/2: \(String(cString: nghttp2_strerror(Int32(result))))"
        nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR.rawValue)
        // What nghttp2 has to say about it (GOAWAY) is sent first.
        flush()
        closeAfterWrites()
        return frameCount
    }

    /// Handlers see what came with their request at once. What they answer goes out together, and with it what tasks make of
    /// what has arrived for them.
    func receivedAll() {
        if !beginners.isEmpty { role.startHandlers(of: &beginners) }
        mailbox.deliverHere()
    }

    func becameWritable() { flush() }

    func secured(_ agreement: SecureAgreement) {
        guard agreement.protocolName == "h2" else {
            return giveUp("the peer does not agree to HTTP/2 (ALPN: \(agreement.protocolName ?? "nothing"))")
        }
        if let reason = agreement.refusal { return giveUp(reason) }
        role.secured(agreement)
    }

    func closed(_ failure: String?) {
        if let failure, !isGivenUp { self.failure = "the connection failed: \(failure)" }
        end()
    }

    /// Closes the connection at once.
    func giveUp(_ reason: String) {
        guard session != nil, !isGivenUp else { return }
        isGivenUp = true
        failure = reason
        // What still arrives is nobody's: a peer that was refused must not be taken for one that is ready.
        isClosing = true
        stream.close(nil)
    }

    /// What nghttp2 is to say goes out first.
    func flushLater(_ body: @escaping @Sendable (Connection) -> Void) {
        let bound = EventLoop.Bound(self)
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
        for call in calls.removeAll() {
            stopTimer(of: call)
            call.dropOutput()
            role.lost(call, reason: failure)
        }
        for case .open(let call, _, _) in dropped {
            call.end(.failed(RPCError(.unavailable, failure)), isUnprocessed: true)
        }
        role.disconnected(reason: failure)
        // They are in the session's memory, which is the loop's.
        headerCache = HeaderCache()
        nghttp2_session_del(session)
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
                // A call that was cancelled before it was opened is not in the table.
                if calls[call.id] === call { reset(call, NGHTTP2_CANCEL) }
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
        calls.add(call, as: id)
        schedule(call, deadline)
        if !willWatch { watchCallsSoon() }
    }

    /// Calls that wait for a response do not ask at once to be told when their task is cancelled: those that are there at a second
    /// look do.
    private func watchCallsSoon() {
        willWatch = true
        later(Self.watchTime) { connection in
            connection.willWatch = false
            var isAnyYoung = false
            connection.calls.forEach { if $0.watchCancellation() { isAnyYoung = true } }
            if isAnyYoung { connection.watchCallsSoon() }
        }
    }

    private func sendOutput(of call: CallStream) {
        guard let session, calls.with(call.id, { $0 === call }) == true else { return }
        if !call.record.isOpened, isServer {
            role.open(call, call.acknowledgeOpening(), self)
        } else {
            call.acknowledgeOutput()
            // INVALID_ARGUMENT says that nothing was waiting: nghttp2 will ask anyway.
            _ = nghttp2_session_resume_data(session, call.id)
        }
    }

    /// Makes the deadline's timer, where there is a deadline.
    func schedule(_ call: CallStream, _ deadline: Deadline?) {
        guard let deadline else { return }
        let bound = EventLoop.Bound((self, call))
        call.record.timer = loop.schedule(atBootNanos: deadline.bootNanos) {
            let (connection, call) = bound.value
            guard connection.session != nil else { return }
            connection.role.timedOut(call, connection)
            connection.flush()
        }
    }

    func stopTimer(of call: CallStream) {
        guard let timer = call.record.timer else { return }
        call.record.timer = nil
        loop.cancel(timer)
    }

    // MARK: - For the roles

    /// Ends a stream at once, in both directions.
    func reset(_ call: CallStream, _ code: nghttp2_error_code) {
        call.dropOutput()
        guard let session else { return }
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), call.id, code.rawValue)
    }

    /// Server: opens the answer; with `closing`, that is all there is.
    func respond(_ headers: HeaderBlock, for call: CallStream, isLast: Bool) {
        guard let session else { return }
        call.record.isOpened = true
        call.record.isFinished = isLast
        var provider = makeProvider()
        _ = headers.withFields { fields, count in
            if isLast {
                nghttp2_submit_response(session, call.id, fields, count, nil)
            } else {
                nghttp2_submit_response(session, call.id, fields, count, &provider)
            }
        }
    }

    /// nghttp2 asks for output again.
    func resume(_ call: CallStream) {
        guard let session else { return }
        _ = nghttp2_session_resume_data(session, call.id)
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
        let bound = EventLoop.Bound(self)
        loop.schedule(after: .seconds(1)) {
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
