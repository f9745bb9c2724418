// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// What a connection tells a call, and takes from it.
extension CallStream {
    /// `byteCount` bytes of data, with which a message is complete, or none is yet.
    /// - Returns: Bytes whose room can be given back to the peer at once.
    func receive(_ message: WireMessage?, byteCount: Int) -> Int {
        let size = message.map { UnreadBytes.size(of: $0) } ?? 0
        mailbox.unread?.add(size)
        var (released, unread) = (0, 0)
        let waiters = state.withLock { state -> WaitList.Waiters? in
            // Nobody reads after the end.
            guard state.ending == nil else {
                (released, unread) = (byteCount, size)
                return nil
            }
            state.heldBytes += byteCount
            if let message {
                state.messages.append(message)
                return state.wakeReaders()
            }
            guard state.messages.isEmpty else { return nil }
            released = state.heldBytes + state.releasedBytes
            state.heldBytes = 0
            state.releasedBytes = 0
            return nil
        }
        waiters?.resume()
        noteRead(unread)
        return released
    }

    /// Client: the answer's headers.
    /// - Parameter isAll: The status is among them.
    func receive(_ metadata: Metadata, isAll: Bool) {
        let waiters = state.withLock { state -> WaitList.Waiters? in
            guard state.peerMetadata == nil else { return nil }
            state.peerMetadata = metadata
            state.hasAnswer = !isAll
            return state.wakeReaders()
        }
        waiters?.resume()
    }

    /// Client: the connection's look at calls that wait for a response. One that it sees for the second time is old: its task is
    /// to notice from now on when it is cancelled.
    /// - Returns: Whether the call is to be looked at again.
    func watchCancellation() -> Bool {
        let (waiters, isYoung) = state.withLock { state -> (WaitList.Waiters?, Bool) in
            switch state.age {
            case .young:
                state.age = .seen
                return (nil, true)
            case .seen:
                // Also of one that begins to wait later.
                state.age = .old
                return (state.awaitsResponse ? state.readers.takeAll() : nil, false)
            case .old: return (nil, false)
            }
        }
        waiters?.resume()
        return isYoung
    }

    /// Server: the client sends no more messages.
    func receiveHalfClose() {
        let waiters = state.withLock { state -> WaitList.Waiters? in
            guard state.ending == nil else { return nil }
            state.ending = .finished
            return state.wakeReaders()
        }
        waiters?.resume()
    }

    /// The call is over: nothing more arrives or is written. What is queued, `dropOutput` drops.
    /// - Parameters:
    ///   - keepsMessages: Whether what arrived before can still be read.
    ///   - status: Server: what the connection is still to tell the client.
    ///   - isGone: The stream is gone: nothing of what is queued is to be sent. On the connection's loop.
    /// - Returns: False when it was over before.
    @discardableResult
    func end(
        _ ending: Ending,
        trailing: Metadata = Metadata(),
        keepsMessages: Bool = false,
        isUnprocessed: Bool = false,
        status: RPCError? = nil,
        isGone: Bool = false
    ) -> Bool {
        var (dropped, unsent) = (0, 0)
        var waiters: (WaitList.Waiters?, WaitList.Waiters?) = (nil, nil)
        let isFirst = state.withLock { state in
            if isGone { unsent = state.dropOutput() }
            guard !state.isClosed else { return false }
            state.isClosed = true
            state.isUnprocessed = isUnprocessed
            // A server's requests may have been complete; what it can still notice is that the call is gone.
            if case .failed = ending {
                state.ending = ending
            } else if state.ending == nil {
                state.ending = ending
            }
            if !trailing.isEmpty { state.trailingMetadata = trailing }
            if let status { state.closing = .trailers(status, [:]) }
            if !keepsMessages, !state.messages.isEmpty { dropped = state.dropMessages() }
            waiters = (state.wakeReaders(), state.writers.hasWaiters ? state.writers.takeAll() : nil)
            return true
        }
        waiters.0?.resume()
        waiters.1?.resume()
        noteRead(dropped)
        noteUnqueued(unsent)
        if isFirst { channelRecord?.noteEnd(succeeded: ending.isSuccess) }
        return isFirst
    }

    /// On the connection's loop: the stream is gone; of a call that is over nothing is to be sent any more.
    /// - Returns: Whether it is over.
    func closeIfOver() -> Bool {
        let (isOver, unsent) = state.withLock { ($0.isClosed, $0.isClosed ? $0.dropOutput() : 0) }
        noteUnqueued(unsent)
        return isOver
    }

    /// On the connection's loop: nothing of what is queued is to be sent.
    func dropOutput() {
        let unsent = state.withLock { $0.dropOutput() }
        noteUnqueued(unsent)
    }

    /// Room on the way out comes back when bytes are sent or dropped.
    private func noteUnqueued(_ byteCount: Int) {
        if byteCount > 0 { mailbox.queued?.remove(byteCount) }
    }

    // MARK: - Output

    enum Readiness {
        /// `count` bytes can be sent; `isLast`: nothing follows them but `closing`.
        case ready(count: Int, closing: Closing?)
        /// Nothing now.
        case later
    }

    /// What to send next, at most `limit` bytes; they stay queued until `take`.
    func readiness(limit: Int) -> Readiness {
        state.withLock { state in
            let available = state.output.byteCount
            if available == 0, state.closing == nil { return .later }
            let count = min(available, limit)
            return .ready(count: count, closing: count == available ? state.closing : nil)
        }
    }

    /// Moves `count` bytes to `batch`.
    func take(_ count: Int, into batch: WriteBatch) {
        let waiters = state.withLock { state -> WaitList.Waiters? in
            state.output.move(count, into: batch)
            guard state.writers.hasWaiters, state.output.byteCount <= Self.outputLimit / 2 else { return nil }
            return state.writers.takeAll()
        }
        waiters?.resume()
        noteUnqueued(count)
    }

    /// The connection acts on an `.output` order: what is queued from now on is announced by another.
    func acknowledgeOutput() { state.withLock { $0.isOutputPosted = false } }

    /// What a server's answer opens with.
    struct Opening {
        let metadata: Metadata
        let isCompressed: Bool
        /// When nothing else is to be sent.
        let closing: Closing?
    }

    /// Server: the same, for the first of them.
    func acknowledgeOpening() -> Opening {
        state.withLock { state in
            state.isOutputPosted = false
            return Opening(
                metadata: state.initialMetadata,
                isCompressed: state.namesEncoding ?? false,
                closing: state.output.byteCount == 0 ? state.closing : nil
            )
        }
    }
}
