// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2

/// nghttp2's side of a connection: options, settings and callbacks.
extension Connection {
    /// Room for one stream's unread data, and for all streams', in bytes.
    private static let streamWindow: UInt32 = 1 << 20
    private static let connectionWindow: Int32 = 16 << 20
    private static let frameSize: UInt32 = 64 << 10
    /// What a server holds of messages that have not arrived completely, of all streams. They cannot wait for room in
    /// the connection, which only their reading gives back; a client with that many large ones is told to send fewer.
    private static let incompleteLimit = 64 << 20
    static let concurrentStreams: UInt32 = 16384
    /// Of the header lists of all open calls; a list that comes when there are more is refused.
    private static let headerLimit = 32 << 20

    func makeSession() -> OpaquePointer? {
        var options: OpaquePointer?
        nghttp2_option_new(&options)
        defer { nghttp2_option_del(options) }
        nghttp2_option_set_no_auto_window_update(options, 1)
        // Whether header lists are well-formed: see `ReceivedHeaders`.
        nghttp2_option_set_no_http_messaging(options, 1)
        // It would keep as many as may be open, for priorities that nobody uses.
        nghttp2_option_set_no_closed_streams(options, 1)
        // Until the server's settings arrive; it allows as many.
        nghttp2_option_set_peer_max_concurrent_streams(options, Self.concurrentStreams)
        // The guard against rapid resets is for the internet; our clients may cancel thousands of calls.
        nghttp2_option_set_stream_reset_rate_limit(options, 100_000, 20_000)

        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        defer { nghttp2_session_callbacks_del(callbacks) }
        setReceiveCallbacks(callbacks)
        setSendCallbacks(callbacks)

        var session: OpaquePointer?
        var memory = SessionMemory.functions
        let user = Unmanaged.passUnretained(self).toOpaque()
        if isServer {
            nghttp2_session_server_new3(&session, callbacks, user, options, &memory)
        } else {
            nghttp2_session_client_new3(&session, callbacks, user, options, &memory)
        }
        return session
    }

    func submitSettings(_ session: OpaquePointer) {
        let settings: [(nghttp2_settings_id, UInt32)] = [
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Self.streamWindow),
            (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, Self.frameSize),
            (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Self.concurrentStreams),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(ReceivedHeaders.limit)),
            (NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
        ]
        // A server must not mention push.
        let entries = settings.dropLast(isServer ? 1 : 0).map {
            nghttp2_settings_entry(settings_id: Int32($0.0.rawValue), value: $0.1)
        }
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        nghttp2_session_set_local_window_size(
            session,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            0,
            Self.connectionWindow
        )
    }

    // MARK: - Receiving

    private func setReceiveCallbacks(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let frame else { return 0 }
            return Connection.with(user) { $0.beginHeaders(frame) } ?? 0
        }
        nghttp2_session_callbacks_set_on_header_callback2(callbacks) { _, _, name, value, _, user in
            guard let name, let value else { return 0 }
            Connection.with(user) { $0.received(name, value) }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let frame else { return 0 }
            Connection.with(user) { $0.received(frame) }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, count, user in
            Connection.with(user) { $0.received(UnsafeBufferPointer(start: data, count: count), on: id) }
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            Connection.with(user) { $0.closed(id, code) }
            return 0
        }
    }

    private func beginHeaders(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        let id = frame.pointee.hd.stream_id
        // A few bytes can name a large field again and again, so what counts is what they stand for, in all calls together.
        headers.begin(room: isServer ? Self.headerLimit - headerBytes : .max)
        hasReader = calls.has(id)
        if frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST, !hasReader {
            guard let call = role.begin() else {
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
            }
            calls.add(call, as: id)
            hasReader = true
        }
        return 0
    }

    private func received(_ name: OpaquePointer, _ value: OpaquePointer) {
        guard hasReader else { return }
        if let known = headerCache.find(name, value) {
            headers.add(known.field, size: known.size)
        } else {
            add(name, value)
        }
    }

    private func add(_ nameBuffer: OpaquePointer, _ valueBuffer: OpaquePointer) {
        let value = Self.bytes(of: valueBuffer)
        if let path = headerCache.path(nameBuffer, value) {
            return headers.add(path: path)
        }
        let name = Self.bytes(of: nameBuffer)
        // Spaces around a value HTTP/2 forbids and gRPC allows, and other implementations send them: in a status' message, for one.
        guard nghttp2_check_header_name(name.baseAddress, name.count) != 0,
            nghttp2_check_header_value(value.baseAddress, value.count) != 0
        else { return headers.addMalformed() }
        if let field = KnownField(name, value) {
            let size = name.count + value.count + 32
            headers.add(field, size: size)
            headerCache.add(nameBuffer, valueBuffer, field, size: size)
        } else if name.equals(":path") {
            headers.add(path: headerCache.addPath(nameBuffer, value))
        } else {
            headers.add(name, value)
        }
    }

    private static func bytes(of buffer: OpaquePointer) -> UnsafeBufferPointer<UInt8> {
        let bytes = nghttp2_rcbuf_get_buf(buffer)
        return UnsafeBufferPointer(start: bytes.base, count: bytes.len)
    }

    private func received(_ frame: UnsafePointer<nghttp2_frame>) {
        frameCount += 1
        let header = frame.pointee.hd
        let isLast = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        let isAnswer = UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            calls.with(header.stream_id) { receivedHeaders(of: $0, endsStream: isLast) }
            headers.reset()
        case NGHTTP2_DATA.rawValue:
            guard isLast else { return }
            calls.with(header.stream_id) { call in
                guard isComplete(call) else { return }
                call.record.isRemoteClosed = true
                role.receivedEnd(of: call, self)
            }
        case NGHTTP2_SETTINGS.rawValue:
            guard !isAnswer else { return }
            isGreeted = true
            stopAwaitingGreeting()
            role.settled()
        case NGHTTP2_GOAWAY.rawValue:
            role.dismissed(
                asksTooOften: frame.pointee.goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM.rawValue
            )
        case NGHTTP2_PING.rawValue: if isAnswer { finishDrain() } else { receivedPing() }
        default: break
        }
    }

    private func receivedHeaders(of call: CallStream, endsStream: Bool) {
        call.record.headerBytes += headers.size
        headerBytes += headers.size
        guard checkHeaders(of: call, endsStream: endsStream) else { return }
        if endsStream { call.record.isRemoteClosed = true }
        role.received(headers, endsStream: endsStream, for: call, self)
    }

    /// Whether the header list is what it has to be at its place; if not, its stream is reset.
    private func checkHeaders(of call: CallStream, endsStream: Bool) -> Bool {
        guard !call.record.isMalformed else { return false }
        let isFirst = isServer ? !call.record.hasHeaders : !call.record.isOpened
        call.record.hasHeaders = true
        let place: ReceivedHeaders.Place = !isFirst ? .trailers : isServer ? .request : .response
        let status = headers.httpStatus ?? 0
        // An announcement (1xx) is never the end, and trailers are always.
        guard headers.isWellFormed(as: place), isFirst ? !endsStream || status / 100 != 1 : endsStream
        else {
            refuse(call)
            return false
        }
        if isFirst { call.record.missingBytes = headers.contentLength }
        return !endsStream || isComplete(call)
    }

    /// Whether as much has come as was announced; if not, the stream is reset.
    private func isComplete(_ call: CallStream) -> Bool {
        guard !call.record.isMalformed else { return false }
        guard let missing = call.record.missingBytes, missing != 0 else { return true }
        refuse(call)
        return false
    }

    /// Resets a stream whose peer does not keep to HTTP/2; what else comes on it counts for nothing.
    private func refuse(_ call: CallStream) {
        call.record.isMalformed = true
        reset(call, NGHTTP2_PROTOCOL_ERROR)
    }

    private func received(_ data: UnsafeBufferPointer<UInt8>, on id: Int32) {
        guard session != nil else { return }
        if calls.with(id, { received(data, of: $0) }) == nil { giveBack(data.count, id) }
        withheldBytes += data.count
    }

    private func received(_ data: UnsafeBufferPointer<UInt8>, of call: CallStream) {
        guard !call.record.isMalformed else { return giveBack(data.count, call.id) }
        if let missing = call.record.missingBytes { call.record.missingBytes = missing - data.count }
        // An answer begins with its headers, and is no longer than they say.
        guard isServer || call.record.isOpened, call.record.missingBytes ?? 0 >= 0 else {
            return refuse(call)
        }
        do throws(RPCError) {
            try deframe(data, of: call)
            guard isServer, incompleteBytes > Self.incompleteLimit else { return }
            incompleteBytes -= call.record.deframer.heldBytes
            call.record.deframer.stop()
            throw RPCError(.resourceExhausted, "too many large messages arrive at once")
        } catch {
            role.received(error, for: call, self)
        }
    }

    private func deframe(
        _ data: UnsafeBufferPointer<UInt8>,
        of call: CallStream
    ) throws(RPCError) {
        let before = call.record.deframer.heldBytes
        defer { incompleteBytes += call.record.deframer.heldBytes - before }
        var rest = data
        repeat {
            let left = rest.count
            let message = try call.record.deframer.next(&rest)
            giveBack(call.receive(message, byteCount: left - rest.count), call.id)
            if message != nil { role.receivedMessage(of: call, self) }
        } while !rest.isEmpty
    }

    /// One slow call must not stop the others, so the connection's room is given back on receipt; a server does so only
    /// as long as its client has not made it hold more than the limit. To be called when something was read.
    func giveBackWithheld() {
        guard let session, withheldBytes > 0, mailbox.unread?.mayReceive ?? true else { return }
        _ = nghttp2_session_consume_connection(session, withheldBytes)
        withheldBytes = 0
    }

    /// What a stream that is gone has left incomplete.
    private func restore(_ call: CallStream) {
        incompleteBytes -= call.record.deframer.heldBytes
        headerBytes -= call.record.headerBytes
    }

    private func closed(_ id: Int32, _ code: UInt32) {
        guard let call = calls.remove(id) else { return }
        stopTimer(of: call)
        restore(call)
        role.closed(call, code: code)
    }

    // MARK: - Sending

    private func setSendCallbacks(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, _, user in
            guard let frame, let header else { return 0 }
            Connection.with(user) { connection in
                connection.output.append(UnsafeBufferPointer(start: header, count: 9))
                connection.calls.with(frame.pointee.hd.stream_id) { $0.take(count, into: connection.output) }
            }
            return 0
        }
        nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks) {
            _,
            _,
            _,
            connectionRoom,
            streamRoom,
            frameSize,
            _ in
            min(Int(connectionRoom), Int(streamRoom), Int(frameSize), Int(Connection.frameSize))
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            guard let frame else { return 0 }
            Connection.with(user) { $0.sent(frame.pointee.hd) }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, code, user in
            guard let frame else { return 0 }
            Connection.with(user) { $0.couldNotSend(frame.pointee, code) }
            return 0
        }
    }

    /// Output comes from the call's queue, and goes past nghttp2's buffers into ours.
    func makeProvider() -> nghttp2_data_provider {
        nghttp2_data_provider(
            source: nghttp2_data_source(),
            read_callback: { session, id, _, limit, flags, _, user in
                Connection.with(user) { $0.provide(id, limit: limit, flags) }
                    ?? Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
            }
        )
    }

    /// - Returns: How many bytes the next frame has, or one of nghttp2's errors.
    private func provide(_ id: Int32, limit: Int, _ flags: UnsafeMutablePointer<UInt32>?) -> Int {
        guard let flags else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        return calls.with(id) { provide($0, limit: limit, &flags.pointee) }
            ?? Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }

    private func provide(_ call: CallStream, limit: Int, _ flags: inout UInt32) -> Int {
        // nghttp2 goes on by itself as long as there is data, and writers add to it meanwhile.
        guard output.byteCount < Connection.writeStep else { return Int(NGHTTP2_ERR_PAUSE.rawValue) }
        switch call.readiness(limit: limit) {
        case .later: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .ready(let count, let closing):
            flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
            if closing != nil { flags |= NGHTTP2_DATA_FLAG_EOF.rawValue }
            if case .trailers(let error, let metadata) = closing {
                flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                call.record.isFinished = true
                let block = HeaderBlock.trailers(error, metadata)
                _ = block.withFields { nghttp2_submit_trailer(session, call.id, $0, $1) }
            }
            return count
        }
    }

    private func sent(_ frame: nghttp2_frame_hd) {
        guard isServer else { return }
        let type = UInt32(frame.type)
        if type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue { pings.sentSomething() }
        let isLast = UInt32(frame.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        guard type == NGHTTP2_HEADERS.rawValue, isLast,
            let call = calls[frame.stream_id], !call.record.isRemoteClosed
        else { return }
        // The status is out; the client need not send the rest.
        reset(call, NGHTTP2_NO_ERROR)
    }

    private func couldNotSend(_ frame: nghttp2_frame, _ code: Int32) {
        guard UInt32(frame.hd.type) == NGHTTP2_HEADERS.rawValue else { return }
        if isServer {
            // Too much metadata for nghttp2. The client would wait for ever.
            if let call = calls[frame.hd.stream_id] { reset(call, NGHTTP2_INTERNAL_ERROR) }
            return
        }
        // It would fail in the same way on every connection.
        let isOurFault = [
            NGHTTP2_ERR_FRAME_SIZE_ERROR, NGHTTP2_ERR_HEADER_COMP, NGHTTP2_ERR_INVALID_ARGUMENT,
        ]
        .contains { $0.rawValue == code }
        if isOurFault, let call = calls[frame.hd.stream_id] {
            call.end(.failed(RPCError(.resourceExhausted, "the metadata is too large to be sent")))
        }
        closed(frame.hd.stream_id, NGHTTP2_REFUSED_STREAM.rawValue)
    }

    /// The connection that a callback belongs to. It lives as long as its session, so nothing is counted.
    @discardableResult
    private static func with<Result>(
        _ user: UnsafeMutableRawPointer?,
        _ body: (Connection) -> Result
    ) -> Result? {
        user.map { Unmanaged<Connection>.fromOpaque($0)._withUnsafeGuaranteedRef(body) }
    }
}
