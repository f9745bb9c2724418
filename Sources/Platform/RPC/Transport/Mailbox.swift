// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import Synchronization

/// How tasks reach their connection: orders are queued, and the event loop works through them in one go.
final class Mailbox: Sendable {
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
        var connection: NIOLoopBound<Connection>?
    }

    private let state = Mutex(State())
    private let loop: any EventLoop
    /// Of all the connection's calls; nil where nobody limits it.
    let unread: UnreadBytes?
    /// The same, on the way out.
    let queued: QueuedBytes?
    /// Server: handlers that run, also those of calls that are gone.
    let handlers = Atomic(0)

    init(loop: any EventLoop, unread: UnreadBytes? = nil, queued: QueuedBytes? = nil) {
        self.queued = queued
        self.loop = loop
        self.unread = unread
    }

    /// On the loop, before the first order can come.
    func attach(_ connection: Connection) {
        let bound = NIOLoopBound(connection, eventLoop: loop)
        state.withLock { $0.connection = bound }
    }

    /// - Returns: False when the connection is gone.
    @discardableResult
    func post(_ order: Order) -> Bool {
        let (isOpen, schedule) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.orders.append(order)
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        if schedule { LoopExecutor.shared.deliver(self) }
        return isOpen
    }

    /// On the loop: no more orders are taken.
    /// - Returns: The orders that nobody will carry out.
    func close() -> [Order] {
        state.withLock { state in
            state.isClosed = true
            state.connection = nil
            defer { state.orders = [] }
            return state.orders
        }
    }

    /// On the loop.
    func deliver() {
        let (orders, connection) = state.withLock { state -> ([Order], NIOLoopBound<Connection>?) in
            state.isScheduled = false
            defer { state.orders = [] }
            return (state.orders, state.connection)
        }
        connection?.value.carryOut(orders)
    }
}
