// SPDX-License-Identifier: Apache-2.0
package import Messages

/// Sends a client's messages.
package struct RequestWriter<Request: Message>: Sendable {
    private let stream: CallStream

    init(_ stream: CallStream) { self.stream = stream }

    /// Queues a message; waits while much is queued that the server has not made room for.
    /// - Throws: How the call ended, when it has; `.cancelled` when the task is.
    /// - Parameter compressed: Whether it is compressed, where the call's messages are.
    package func write(_ request: Request, compressed: Bool = true) async throws(RPCError) {
        try await stream.write(request.serialized(), compressed: compressed)
    }

    /// No more messages follow. Harmless when repeated.
    package func finish() { stream.finish() }
}

/// Sends a handler's messages.
package struct ResponseWriter<Response: Message>: Sendable {
    private let stream: CallStream

    init(_ stream: CallStream) { self.stream = stream }

    /// Queues a message; waits while much is queued that the client has not made room for.
    /// - Throws: `.cancelled` when the client, or the connection, is gone, or the task is cancelled.
    /// - Parameter compressed: Whether it is compressed, where the call's messages are.
    package func write(_ response: Response, compressed: Bool = true) async throws(RPCError) {
        try await stream.write(response.serialized(), compressed: compressed)
    }
}
