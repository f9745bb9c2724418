// SPDX-License-Identifier: Apache-2.0
internal import Events
package import Messages
internal import Synchronization

/// One call, as both its task and its connection see it: what has arrived and was not read, what is to be sent, and
/// how it ended.
///
/// The task's side suspends, the connection's side (`CallStream+Connection.swift`) never does. Every end, whatever its
/// cause, is recorded once; it wakes all waits, and nothing changes afterwards.
package final class CallStream: Sendable {
    enum Ending: Sendable {
        case finished
        case failed(RPCError)

        var isSuccess: Bool { if case .finished = self { true } else { false } }
    }

    /// What is sent last.
    enum Closing: Sendable {
        /// Client: no more messages.
        case halfClose
        /// Server: the status.
        case trailers(RPCError?, Metadata)
    }

    /// Server: what the client wants.
    struct Request: Sendable {
        var method: ServedMethod?
        var peer: PeerCredentials?
        var certificate: [UInt8]?
        var metadata = Metadata()
        var acceptsCompression = false
        var deadline: Deadline?
    }

    enum Age {
        case young, seen
        /// Who waits for the response asks to be told when its task is cancelled.
        case old
    }

    struct State {
        // What arrives.
        var messages = MessageQueue()
        /// No more messages come. For a client this is the status, for a server the half-close or a failure.
        var ending: Ending?
        var peerMetadata: Metadata?
        var trailingMetadata = Metadata()
        /// Bytes that arrived and whose room was not given back to the peer.
        var heldBytes = 0
        /// Bytes whose room is to be given back with the next order.
        var releasedBytes = 0
        var readers = WaitList()
        /// Client: the reader waits for the end of a call that has one response, or for a second one.
        var awaitsResponse = false
        /// Client: how often the connection has looked at it.
        var age = Age.young

        // What is sent.
        var output = OutputQueue()
        var closing: Closing?
        /// The connection knows that there is something to send.
        var isOutputPosted = false
        var writers = WaitList()
        /// Nothing more can be sent.
        var isClosed = false

        // For the connection.
        /// Client: the server did not act on it; it may be sent again.
        var isUnprocessed = false
        /// Client: headers have arrived that more was to follow than the status.
        var hasAnswer = false

        // Server: what the handler adds to its answer.
        var initialMetadata = Metadata()
        /// Messages are compressed from now on, unless they say otherwise.
        var compresses = false
        /// Whether the answer's headers name the encoding: as `compresses` was with the first message; nil
        /// before it.
        var namesEncoding: Bool?
        /// The last message that was read came compressed.
        var wasCompressed = false
    }

    // In place: a state that is handed to the lock is copied.
    let state = Mutex(State())
    /// The stream's number, once it is known; the connection's table sets it. On the loop.
    nonisolated(unsafe) var id: Int32 = 0
    /// On the loop.
    nonisolated(unsafe) var record: StreamRecord
    /// Server: set before the handler is started, and never again.
    nonisolated(unsafe) var request = Request()
    let mailbox: Mailbox
    let messageLimit: Int
    /// Client: told once how the call has ended.
    let channelRecord: ChannelRecord?

    /// Writers wait while so many bytes are queued.
    static let outputLimit = 256 << 10
    /// So much may be queued for a call though all calls together have too much.
    static let smallMessage = 4 << 10
    /// Room is given back in steps of at least so many bytes.
    static let releaseStep = 128 << 10

    /// - Parameter messageLimit: Most bytes of one message, in either direction.
    init(mailbox: Mailbox, messageLimit: Int, record: ChannelRecord? = nil) {
        self.mailbox = mailbox
        channelRecord = record
        self.messageLimit = messageLimit
        self.record = StreamRecord(messageLimit: messageLimit)
    }

    // MARK: - Reading

    /// The next message; nil after the last.
    /// - Parameter cancels: Whether cancelling the task ends the whole call.
    func nextMessage<M: Message>(_ type: M.Type, cancels: Bool = false) async throws(RPCError) -> M? {
        guard let message = try await nextPayload(cancels: cancels) else { return nil }
        return try decode(type, message)
    }

    /// Server: the one request of a unary or server-streaming call, whose handler is started when it is here, or never comes.
    package func request<M: Message>(_ type: M.Type) throws(RPCError) -> M {
        guard let message = takeMessage() else {
            if case .failed(let error) = state.withLock({ $0.ending }) { throw error }
            throw RPCError(.internal, "the client sent no request")
        }
        return try decode(type, message)
    }

    /// Server: the one response of a unary or client-streaming call.
    package func answer(_ response: some Message) async throws(RPCError) {
        try await write(response.serialized())
    }

    /// Server: writes the same response, if it can be done now. Nearly always there is room for it, and what need not wait is no
    /// function that can.
    /// - Returns: Whether it was.
    package func answerAtOnce(_ response: some Message) throws(RPCError) -> Bool {
        let message = try message(response.serialized())
        switch queue(message, compressed: true) {
        case .queued: return true
        case .uncompressed:
            if case .queued = queue(Compression.smaller(message.bytes), compressed: false) { return true }
            return false
        default: return false
        }
    }

    /// Client: what the server sent first; empty when it sent nothing.
    func peerMetadata() async -> Metadata {
        await waitForInput(cancels: true) { $0.ending != nil || $0.peerMetadata != nil }
        return state.withLock { $0.peerMetadata ?? [:] }
    }

    var trailingMetadata: Metadata { state.withLock { $0.trailingMetadata } }

    /// Client: what `error`, which the call has ended with, means for another attempt.
    func failedAttempt(_ error: RPCError) -> FailedAttempt {
        state.withLock { state in
            FailedAttempt(
                error: error,
                trailing: state.trailingMetadata,
                isUnprocessed: state.isUnprocessed,
                isCommitted: state.hasAnswer
            )
        }
    }

    var hasEnded: Bool { state.withLock { $0.ending != nil } }

    /// Room in the connection comes back when messages are read or dropped.
    func noteRead(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        if mailbox.unread?.remove(byteCount) == true { mailbox.post(.room) }
    }

    private func decode<M: Message>(_ type: M.Type, _ message: WireMessage) throws(RPCError) -> M {
        try Self.decode(type, payload(of: message))
    }

    static func decode<M: Message>(_ type: M.Type, _ payload: [UInt8]) throws(RPCError) -> M {
        do throws(MessageError) { return try M(serialized: payload) } catch {
            throw RPCError(.internal, error.description)
        }
    }

    func payload(of message: WireMessage) throws(RPCError) -> [UInt8] {
        message.isCompressed
            ? try Compression.decompressed(message.bytes, limit: messageLimit) : message.bytes
    }

    private func nextPayload(cancels: Bool) async throws(RPCError) -> WireMessage? {
        while true {
            if let message = takeMessage() { return message }
            switch state.withLock({ $0.messages.isEmpty ? $0.ending : nil }) {
            case .finished: return nil
            case .failed(let error): throw error
            case nil: break
            }
            if !cancels, Task.isCancelled { throw RPCError(.cancelled, "the task was cancelled") }
            await waitForInput(cancels: cancels) { $0.ending != nil || !$0.messages.isEmpty }
        }
    }

    /// A message that is here, if there is one.
    private func takeMessage() -> WireMessage? {
        let (message, released) = state.withLock { $0.takeMessage() }
        if released > 0 { mailbox.post(.consumed(self, released)) }
        if let message { noteRead(UnreadBytes.size(of: message)) }
        return message
    }

    /// Returns once `isReady`, or the task is cancelled (which, if it `cancels`, ends the call).
    private func waitForInput(cancels: Bool, _ isReady: @Sendable (borrowing State) -> Bool) async {
        let ticket = state.withLock { $0.readers.ticket() }
        while true {
            await withTaskCancellationHandler {
                await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                    let waits = state.withLock { !isReady($0) && $0.readers.add(waiter, ticket) }
                    if !waits { waiter.resume() }
                }
            } onCancel: {
                if cancels { cancel() }
                state.withLock { $0.readers.cancel(ticket) }?.resume()
            }
            let isDone = state.withLock { state in
                state.readers.forget(ticket)
                return isReady(state)
            }
            if isDone || Task.isCancelled { return }
        }
    }

    // MARK: - Writing

    /// Client: queues the only message of a call that is about to be opened.
    func prepare(_ message: WireMessage) {
        state.withLock { state in
            state.output.append(message)
            state.closing = .halfClose
        }
    }

    /// Queues a message, once less than the limit is queued.
    /// - Parameter compressed: Whether it is, where the call compresses at all.
    func write(_ payload: [UInt8], compressed: Bool = true) async throws(RPCError) {
        try await write(try message(payload), compressed: compressed)
    }

    private func write(_ message: WireMessage, compressed: Bool) async throws(RPCError) {
        var (message, compressed) = (message, compressed)
        while true {
            switch queue(message, compressed: compressed) {
            case .queued: return
            case .uncompressed:
                compressed = false
                message = Compression.smaller(message.bytes)
            case .closed(let error): throw error
            case .full:
                if Task.isCancelled { throw RPCError(.cancelled, "the task was cancelled") }
                await waitForRoom()
            case .crowded:
                if Task.isCancelled { throw RPCError(.cancelled, "the task was cancelled") }
                await mailbox.queued?.waitForRoom()
            }
        }
    }

    private func message(_ payload: [UInt8]) throws(RPCError) -> WireMessage {
        try Deframer.check(size: payload.count, limit: messageLimit)
        return WireMessage(bytes: payload)
    }

    private enum Queueing { case queued, full, crowded, uncompressed, closed(RPCError) }

    /// - Parameter compressed: It is to be compressed, and is not yet, where the call compresses at all.
    private func queue(_ message: WireMessage, compressed: Bool) -> Queueing {
        let isCrowded = mailbox.queued?.isFull ?? false
        let (queueing, post) = state.withLock { state -> (Queueing, Bool) in
            if state.isClosed || state.closing != nil { return (.closed(state.writeError), false) }
            if state.output.byteCount >= Self.outputLimit { return (.full, false) }
            // A small answer is not held up by other calls' readers.
            let isSmall = state.output.byteCount == 0 && message.bytes.count <= Self.smallMessage
            if isCrowded, !isSmall { return (.crowded, false) }
            if compressed, state.compresses { return (.uncompressed, false) }
            if state.namesEncoding == nil { state.namesEncoding = state.compresses || message.isCompressed }
            state.output.append(message)
            defer { state.isOutputPosted = true }
            return (.queued, !state.isOutputPosted)
        }
        if case .queued = queueing { mailbox.queued?.add(OutputQueue.size(of: message)) }
        if post { mailbox.output(self) }
        return queueing
    }

    private func waitForRoom() async {
        let ticket = state.withLock { $0.writers.ticket() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { state in
                    !state.isClosed && state.output.byteCount >= Self.outputLimit
                        && state.writers.add(waiter, ticket)
                }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.writers.cancel(ticket) }?.resume()
        }
        state.withLock { $0.writers.forget(ticket) }
    }

    /// Client: no more messages follow.
    func finish() { close { _ in .halfClose } }

    /// Server: the handler is done.
    func finish(_ error: RPCError?) { close { .trailers(error, $0.trailingMetadata) } }

    /// Client: messages are compressed, unless they are written otherwise.
    func compress() { state.withLock { $0.compresses = true } }

    private func close(with closing: (borrowing State) -> Closing) {
        let post = state.withLock { state in
            guard !state.isClosed, state.closing == nil else { return false }
            state.closing = closing(state)
            defer { state.isOutputPosted = true }
            return !state.isOutputPosted
        }
        if post { mailbox.output(self) }
    }

    /// Client: ends the call now; harmless when it has ended.
    ///
    /// This is the one end that comes from a task. What is queued stays for the connection, which may just have
    /// announced it in a frame's header; it drops the rest when it carries out the order.
    func cancel() {
        guard end(.failed(RPCError(.cancelled, "the call was cancelled"))) else { return }
        mailbox.post(.cancel(self))
    }
}

extension CallStream.State {
    /// - Returns: The next message, and how many bytes of room the peer is to be given back.
    mutating func takeMessage() -> (payload: WireMessage?, released: Int) {
        guard let payload = messages.removeFirst() else { return (nil, 0) }
        wasCompressed = payload.isCompressed
        guard ending == nil else { return (payload, 0) }
        // With nothing left to read, a message that is still arriving needs all the room there is.
        let released =
            messages.isEmpty ? heldBytes : min(heldBytes, payload.bytes.count + Deframer.prefixLength)
        heldBytes -= released
        releasedBytes += released
        guard releasedBytes >= CallStream.releaseStep else { return (payload, 0) }
        defer { releasedBytes = 0 }
        return (payload, releasedBytes)
    }

    /// - Returns: How many bytes are not sent.
    mutating func dropOutput() -> Int {
        let count = output.byteCount
        if count > 0 { output.removeAll() }
        return count
    }

    /// - Returns: What they took.
    mutating func dropMessages() -> Int {
        defer { messages = MessageQueue() }
        return messages.total(UnreadBytes.size)
    }

    /// Why nothing can be written.
    var writeError: RPCError {
        if case .failed(let error) = ending { return error }
        return RPCError(.cancelled, closing == nil ? "the peer has ended the call" : "written after the end")
    }
}
