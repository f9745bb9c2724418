// SPDX-License-Identifier: Apache-2.0
package import Messages

/// The client's way to one server: a connection that is made when it is needed, and made again when it was lost.
///
/// Calls share the connection. It is closed with the last reference to the channel (a call that still runs is one), or
/// by `close`.
package final class Channel: Sendable {
    private let connector: Connector
    private let messageLimit: Int

    /// - Parameters:
    ///   - path: The server's socket; it may be longer than a socket address has room for.
    ///   - messageLimit: Most bytes of one message, in either direction.
    package init(unixSocket path: String, messageLimit: Int = 4 << 20) {
        connector = Connector(path: path)
        self.messageLimit = messageLimit
    }

    deinit { connector.close() }

    /// Begins to make the connection, for calls that will come soon. One that fails is made again when it is needed.
    package func connectAhead() { connector.connectAhead() }

    /// Closes the connection; calls that run fail with `.unavailable`, and so does every later call.
    package func close() async {
        connector.close()
        await connector.waitUntilClosed()
    }

    // MARK: - Calls, for generated clients

    package func unary<Request: Message, Response: Message>(
        _ method: String,
        _ request: Request,
        _ options: CallOptions
    ) async throws(RPCError) -> Response {
        let payload = try payload(request, options)
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        var attempts = 0
        var delay = Connector.firstDelay
        while true {
            let call = try await begin(method, options, deadline, payload)
            let failure: RPCError
            do throws(RPCError) {
                return try await call.onlyResponse(Response.self)
            } catch {
                failure = error
            }
            attempts += 1
            // The server did not act on it: it was going away, was gone, or has too much to do.
            guard call.isUnprocessed, options.waitForReady || attempts < 3 else { throw failure }
            try await connector.pause(delay, deadline: deadline, failure)
            delay = Connector.next(delay)
        }
    }

    package func serverStreaming<Request: Message, Response: Message>(
        _ method: String,
        _ request: Request,
        _ options: CallOptions
    ) async throws(RPCError) -> ResponseStream<Response> {
        let payload = try payload(request, options)
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        return ResponseStream(CallOwner(try await begin(method, options, deadline, payload), keeping: self))
    }

    nonisolated(nonsending) package func clientStreaming<Request: Message, Response: Message>(
        _ method: String,
        _ options: CallOptions,
        _ body: (RequestWriter<Request>) async throws -> Void
    ) async throws -> Response {
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        let call = try await begin(method, options, deadline, nil)
        defer { call.cancel() }
        do { try await body(RequestWriter(call)) } catch {
            // A server may answer before it has read everything; then writing fails, and the answer counts.
            guard let failure = error as? RPCError, failure.code == .cancelled, call.hasEnded else {
                throw error
            }
        }
        call.finish()
        return try await call.onlyResponse(Response.self)
    }

    nonisolated(nonsending) package func bidirectional<Request: Message, Response: Message, Result>(
        _ method: String,
        _ options: CallOptions,
        _ body: (RequestWriter<Request>, ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        let deadline = options.timeout.flatMap { Deadline.after($0) }
        let call = try await begin(method, options, deadline, nil)
        defer { call.cancel() }
        return try await body(RequestWriter(call), ResponseStream(CallOwner(call, keeping: self)))
    }

    // MARK: - Beginning

    /// Opens a call, on a new connection if need be; with a payload, that is all that it sends.
    private func begin(
        _ method: String,
        _ options: CallOptions,
        _ deadline: Deadline?,
        _ payload: WireMessage?
    ) async throws(RPCError) -> CallStream {
        while true {
            let mailbox = try await connector.connection(
                deadline: deadline,
                waitForReady: options.waitForReady
            )
            let call = CallStream(mailbox: mailbox, messageLimit: messageLimit)
            if let payload { call.prepare(payload) } else if options.compression != nil { call.compress() }
            let remaining = deadline?.remaining
            let headers = HeaderBlock.request(method: method, options: options, remaining: remaining)
            if mailbox.post(.open(call, headers, deadline: deadline)) { return call }
            // The connection was lost just now.
            connector.discard(mailbox)
        }
    }

    private func payload(_ request: some Message, _ options: CallOptions) throws(RPCError) -> WireMessage {
        let payload = request.serialized()
        try Deframer.check(size: payload.count, limit: messageLimit)
        if options.compression == .gzip, let bytes = Compression.compressed(payload) {
            return WireMessage(bytes: bytes, isCompressed: true)
        }
        return WireMessage(bytes: payload)
    }
}
