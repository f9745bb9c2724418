// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// How tasks reach their connection: orders are queued, and the event loop works through them in one go.
final class Mailbox: EventLoop.Resident {
    enum Order: Sendable {
        /// Client: begin this call.
        case open(CallStream, HeaderBlock, deadline: Deadline?)
        /// The call has something new to send.
        case output(CallStream)
        /// The application has read so many bytes of the call.
        case consumed(CallStream, Int)
        /// So much was read, of all calls, that more may come.
        case room
        /// Client: the call was cancelled, or nobody can read it any more.
        case cancel(CallStream)
        /// Let the calls finish, take no new ones, then close.
        case drain
        /// Close now.
        case close
    }

    private struct State {
        var orders: [Order] = []
        var isScheduled = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let loop: EventLoop
    /// On the loop only; nil before it is there, and when it is gone.
    nonisolated(unsafe) private var connection: Connection?
    /// On the loop only: the connection was told something, and is to flush.
    nonisolated(unsafe) private var isDue = false
    /// Of all the connection's calls; nil where nobody limits it.
    let unread: UnreadBytes?
    /// The same, on the way out.
    let queued: QueuedBytes?
    /// Server: handlers that run, also those of calls that are gone, and that wait for their request.
    let handlers = Atomic(0)

    init(loop: EventLoop, unread: UnreadBytes? = nil, queued: QueuedBytes? = nil) {
        self.queued = queued
        self.loop = loop
        self.unread = unread
    }

    /// On the loop, before the first order can come.
    func attach(_ connection: Connection) { self.connection = connection }

    /// - Returns: False when the connection is gone.
    @discardableResult
    func post(_ order: Order) -> Bool {
        let (isOpen, schedule) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.orders.append(order)
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        if schedule { loop.deliver(self) }
        return isOpen
    }

    /// On the loop: no more orders are taken.
    /// - Returns: The orders that nobody will carry out.
    func close() -> [Order] {
        connection = nil
        return state.withLock { state in
            state.isClosed = true
            defer { state.orders = [] }
            return state.orders
        }
    }

    package func carryOut() {
        isDue = false
        let orders = state.withLock { state in
            state.isScheduled = false
            defer { state.orders = [] }
            return state.orders
        }
        connection?.carryOut(orders)
    }

    // MARK: - The most frequent orders

    // A task that runs on the loop gives them to the connection at once, which tells its peer when the tasks have had their turn.

    /// Client: begins the call.
    /// - Returns: False when the connection is gone.
    func open(_ call: CallStream, _ headers: HeaderBlock, deadline: Deadline?) -> Bool {
        guard let connection = connectionAtHand() else {
            return post(.open(call, headers, deadline: deadline))
        }
        connection.open(call, headers, deadline)
        return true
    }

    /// The call has something new to send.
    func output(_ call: CallStream) {
        guard let connection = connectionAtHand() else {
            post(.output(call))
            return
        }
        // The status mostly follows at once: both are looked at together.
        connection.speakers.append(call)
    }

    /// The connection, where it can be told something now: on its loop, when it is in the middle of nothing and no other
    /// order comes first. It will flush.
    private func connectionAtHand() -> Connection? {
        guard loop.isCurrent, let connection, !connection.isBusy,
            state.withLock({ $0.orders.isEmpty })
        else { return nil }
        deliverHere()
        return connection
    }

    /// On the loop: the connection flushes when what is ready has run.
    func deliverHere() {
        guard !isDue else { return }
        isDue = true
        loop.deliverHere(self)
    }
}
