// SPDX-License-Identifier: Apache-2.0
package import Messages

/// The client's way to one server: a connection that is made when it is needed, and made again when it was lost.
///
/// Calls share the connection. It is closed with the last reference to the channel (a call that still runs is one), or
/// by `close`.
package final class Channel: Sendable {
    private let connector: Connector
    private let messageLimit: Int
    private let config: ServiceConfig
    private let record: ChannelRecord

    /// - Parameters:
    ///   - security: What encrypts the connection; nil: nothing, for Unix sockets.
    ///   - keepAlive: How a server that is gone without a word is noticed; nil: not, as on a Unix socket the kernel tells.
    ///   - messageLimit: Most bytes of one message, in either direction.
    package init(
        to address: ServerAddress,
        security: (any TransportSecurity)? = nil,
        keepAlive: KeepAlive? = nil,
        messageLimit: Int = 4 << 20,
        config: ServiceConfig = ServiceConfig()
    ) {
        record = ChannelRecord(config.retryThrottling)
        connector = Connector(address, security: security, keepAlive: keepAlive, record)
        self.messageLimit = messageLimit
        self.config = config
    }

    /// - Parameter path: The server's socket; it may be longer than a socket address has room for.
    package convenience init(unixSocket path: String) { self.init(to: .unixSocket(path)) }

    deinit { connector.close() }

    package var statistics: ChannelStatistics { record.statistics }

    /// Begins to make the connection, for calls that will come soon. One that fails is made again when it is needed.
    package func connectAhead() { connector.connectAhead() }

    /// Closes all connections, also one that only finishes what the server has taken on; calls that run fail
    /// with `.unavailable`, and so does every later call.
    package func close() async {
        connector.close()
        await connector.waitUntilClosed()
    }

    // MARK: - Calls, for generated clients

    /// A unary call, as bytes: what waits need not know of what types they are. `response` is to follow.
    /// - Parameter isIdempotent: It may be sent again though the server may have acted on it, where the channel's configuration
    ///   says so.
    package func exchange(
        _ method: String,
        _ request: [UInt8],
        _ options: CallOptions,
        isIdempotent: Bool = false
    ) async throws(RPCError) -> [UInt8] {
        let payload = try payload(request, options)
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        record.noteStart()
        guard let call = beginAtOnce(method, options, deadline, payload) else {
            return try await attempt(method, options, deadline, payload, isIdempotent, after: nil)
        }
        let failed: FailedAttempt
        do throws(RPCError) { return try await call.awaitResponse() } catch {
            failed = call.failedAttempt(error)
        }
        return try await attempt(method, options, deadline, payload, isIdempotent, after: failed)
    }

    /// What such a call was answered.
    /// - Throws: `.internal` when it is none.
    package func response<Response: Message>(_ answer: [UInt8]) throws(RPCError) -> Response {
        do throws(RPCError) {
            let response = try CallStream.decode(Response.self, answer)
            record.noteEnd(succeeded: true)
            return response
        } catch {
            record.noteEnd(succeeded: false)
            throw error
        }
    }

    /// The same call once more, as often as the channel's configuration says: what few calls need.
    /// - Parameter failed: How the call has failed by now; nil: there was no connection.
    @inline(never)
    private func attempt(
        _ method: String,
        _ options: CallOptions,
        _ deadline: Deadline?,
        _ payload: WireMessage,
        _ isIdempotent: Bool,
        after failed: FailedAttempt?
    ) async throws(RPCError) -> [UInt8] {
        var attempts = Attempts(
            policy: config.retryPolicy(of: method),
            isIdempotent: isIdempotent,
            waitsForServer: options.waitForReady
        )
        var failed = failed
        while true {
            if let failed { try await pause(before: &attempts, after: failed, deadline) }
            do throws(RPCError) {
                // One that does not wait for a server is to hear of its silence, too.
                let call = try await begin(
                    method,
                    options,
                    deadline,
                    payload,
                    goesAhead: options.waitForReady
                )
                do throws(RPCError) { return try await call.awaitResponse() } catch {
                    failed = call.failedAttempt(error)
                }
            } catch {
                failed = FailedAttempt(error: error)
            }
        }
    }

    /// Waits until a unary call is to be sent again.
    /// - Throws: What the call ends with, if it is not.
    private func pause(
        before attempts: inout Attempts,
        after failed: FailedAttempt,
        _ deadline: Deadline?
    ) async throws(RPCError) {
        do throws(RPCError) {
            guard let delay = attempts.next(after: failed, record) else { throw failed.error }
            try await connector.pause(delay, deadline: deadline, failed.error)
        } catch {
            record.noteEnd(succeeded: false)
            throw error
        }
    }

    package func serverStreaming<Request: Message, Response: Message>(
        _ method: String,
        _ request: Request,
        _ options: CallOptions
    ) async throws(RPCError) -> ResponseStream<Response> {
        let payload = try payload(request.serialized(), options)
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        return ResponseStream(CallOwner(try await start(method, options, deadline, payload), keeping: self))
    }

    nonisolated(nonsending) package func clientStreaming<Request: Message, Response: Message>(
        _ method: String,
        _ options: CallOptions,
        _ body: (RequestWriter<Request>) async throws -> Void
    ) async throws -> Response {
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        let call = try await start(method, options, deadline, nil)
        defer { call.cancel() }
        do { try await body(RequestWriter(call)) } catch {
            // A server may answer before it has read everything; then writing fails, and the answer counts.
            guard let failure = error as? RPCError, failure.code == .cancelled, call.hasEnded else {
                throw error
            }
        }
        call.finish()
        return try CallStream.decode(Response.self, await call.awaitResponse())
    }

    nonisolated(nonsending) package func bidirectional<Request: Message, Response: Message, Result>(
        _ method: String,
        _ options: CallOptions,
        _ body: (RequestWriter<Request>, ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        let call = try await start(method, options, deadline, nil)
        defer { call.cancel() }
        return try await body(RequestWriter(call), ResponseStream(CallOwner(call, keeping: self)))
    }

    // MARK: - Beginning

    /// Opens a call that has several messages, and counts it.
    private func start(
        _ method: String,
        _ options: CallOptions,
        _ deadline: Deadline?,
        _ payload: WireMessage?
    ) async throws(RPCError) -> CallStream {
        record.noteStart()
        do throws(RPCError) {
            return try await begin(method, options, deadline, payload, record)
        } catch {
            record.noteEnd(succeeded: false)
            throw error
        }
    }

    /// Opens a call, on a new connection if need be; with a payload, that is all that it sends.
    /// - Parameters:
    ///   - record: What is told of its end; nil: the caller does.
    ///   - goesAhead: It is sent again where the connection is lost before the server's first word.
    private func begin(
        _ method: String,
        _ options: CallOptions,
        _ deadline: Deadline?,
        _ payload: WireMessage?,
        _ record: ChannelRecord? = nil,
        goesAhead: Bool = false
    ) async throws(RPCError) -> CallStream {
        var delay = Connector.firstDelay
        while true {
            let mailbox = try await connector.connection(
                deadline: deadline,
                waitForReady: options.waitForReady,
                goesAhead: goesAhead
            )
            if let call = open(method, options, deadline, payload, record, on: mailbox) { return call }
            // The connection was lost just now; a server that does so each time is not asked without a pause.
            connector.discard(mailbox)
            try await connector.pause(
                delay,
                deadline: deadline,
                RPCError(.unavailable, "the connection was lost")
            )
            delay = Connector.next(delay)
        }
    }

    /// The same, where there is a connection.
    private func beginAtOnce(
        _ method: String,
        _ options: CallOptions,
        _ deadline: Deadline?,
        _ payload: WireMessage
    ) -> CallStream? {
        guard let mailbox = connector.current() else { return nil }
        return open(method, options, deadline, payload, nil, on: mailbox)
    }

    /// - Returns: nil when the connection is gone.
    private func open(
        _ method: String,
        _ options: CallOptions,
        _ deadline: Deadline?,
        _ payload: WireMessage?,
        _ record: ChannelRecord?,
        on mailbox: Mailbox
    ) -> CallStream? {
        let call = CallStream(mailbox: mailbox, messageLimit: messageLimit, record: record)
        if let payload { call.prepare(payload) } else if options.compression != nil { call.compress() }
        let headers = HeaderBlock.request(
            method: method,
            to: connector.authority,
            options: options,
            trace: TraceContext.current,
            remaining: deadline?.remaining
        )
        return mailbox.open(call, headers, deadline: deadline) ? call : nil
    }

    private func payload(_ request: [UInt8], _ options: CallOptions) throws(RPCError) -> WireMessage {
        try Deframer.check(size: request.count, limit: messageLimit)
        return options.compression == .gzip ? Compression.smaller(request) : WireMessage(bytes: request)
    }
}
