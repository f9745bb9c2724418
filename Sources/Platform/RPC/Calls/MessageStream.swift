// SPDX-License-Identifier: Apache-2.0
package import Messages
internal import Synchronization

/// The messages that a client sends, as its handler reads them; one reader at a time.
///
/// Reading is what lets the client send more. The end of the sequence is the client's half-close; a call that is
/// cancelled, timed out or disconnected ends it with an error.
package struct RequestStream<Request: Message>: AsyncSequence, Sendable {
    package typealias Element = Request
    package typealias Failure = RPCError

    private let stream: CallStream

    init(_ stream: CallStream) { self.stream = stream }

    /// Whether the last message that was read came compressed.
    package var receivedCompressed: Bool { stream.state.withLock { $0.wasCompressed } }

    /// The next message; nil after the last.
    package func next() async throws(RPCError) -> Request? { try await stream.nextMessage(Request.self) }

    package func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }

    package struct Iterator: AsyncIteratorProtocol {
        let sequence: RequestStream

        package func next() async throws(RPCError) -> Request? { try await sequence.next() }

        package func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> Request? {
            try await sequence.next()
        }
    }
}

/// The messages that a server answers with; one reader at a time.
///
/// The sequence ends when the call ended well and throws otherwise. Dropping the stream, or cancelling the task that
/// reads it, cancels the call.
package struct ResponseStream<Response: Message>: AsyncSequence, Sendable {
    package typealias Element = Response
    package typealias Failure = RPCError

    private let call: CallOwner

    init(_ call: CallOwner) { self.call = call }

    /// The next message; nil after the last.
    package func next() async throws(RPCError) -> Response? {
        try await call.stream.nextMessage(Response.self, cancels: true)
    }

    /// What the server sent before its first message; waits for that. Empty when the call failed before.
    package var initialMetadata: Metadata {
        get async { await call.stream.peerMetadata() }
    }

    /// What the server sent with the status; empty until the sequence has ended.
    package var trailingMetadata: Metadata { call.stream.trailingMetadata }

    /// Whether the last message that was read came compressed.
    package var receivedCompressed: Bool { call.stream.state.withLock { $0.wasCompressed } }

    /// Ends the call now.
    package func cancel() { call.stream.cancel() }

    package func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }

    package struct Iterator: AsyncIteratorProtocol {
        let sequence: ResponseStream

        package func next() async throws(RPCError) -> Response? { try await sequence.next() }

        package func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> Response? {
            try await sequence.next()
        }
    }
}

/// Cancels a call that nobody can read any more.
final class CallOwner: Sendable {
    let stream: CallStream
    /// Keeps the connection open as long as the call can be read.
    private let channel: Channel

    init(_ stream: CallStream, keeping channel: Channel) {
        self.stream = stream
        self.channel = channel
    }

    deinit { stream.cancel() }
}
