// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization
internal import System

/// Makes and remakes a channel's connection. New calls go to at most one at a time; those that the server
/// takes no more calls on exist beside it until theirs have ended.
final class Connector: Sendable {
    private enum Phase {
        case idle
        case connecting(Mailbox, Attempt)
        case ready(Mailbox)
        case closed
    }

    /// What those wait for who want a connection that is being made.
    private struct Attempt {
        /// The server has spoken.
        var ready = PendingConnection()
        /// Calls may be sent, though the server has not spoken yet.
        var open = PendingConnection()

        func fail(_ error: RPCError) {
            open.settle(.failed(error))
            ready.settle(.failed(error))
        }
    }

    private struct State {
        var phase = Phase.idle
        /// Of the connection that is being made, until there is a socket.
        var dial: EventLoop.Bound<Dial>?
        /// All that exist, also those that new calls do not go to.
        var connections: [Mailbox] = []
        /// Who waits until none is left.
        var waiters = WaitList()
        var keepAlive: KeepAlive?
    }

    private let address: ServerAddress
    private let security: (any TransportSecurity)?
    private let record: ChannelRecord
    private let state: Mutex<State>
    let authority: HeaderBlock.Authority?

    /// A server that accepts but does not speak is taken for absent after this time.
    private static let settingsTimeout = Duration.seconds(20)
    private static let closed = RPCError(.unavailable, "the channel is closed")
    static let firstDelay = Duration.milliseconds(5)
    private static let longestDelay = Duration.milliseconds(200)

    init(
        _ address: ServerAddress,
        security: (any TransportSecurity)?,
        keepAlive: KeepAlive?,
        _ record: ChannelRecord
    ) {
        self.address = address
        self.security = security
        self.record = record
        state = Mutex(State(keepAlive: keepAlive))
        authority =
            if case .tcp = address { .init(address.description, isSecure: security != nil) } else { nil }
    }

    /// A connection that is ready for calls.
    /// - Parameter goesAhead: Over a Unix socket it need not wait for the server's first word: what is sent before that is known
    ///   not to have been acted on where the connection ends without it, for what a server has said there is read even when it
    ///   is gone.
    /// - Throws: `.unavailable` when there is no server (and the caller does not wait), `.deadlineExceeded`,
    ///   `.cancelled`.
    func connection(
        deadline: Deadline?,
        waitForReady: Bool,
        goesAhead: Bool
    ) async throws(RPCError) -> Mailbox {
        if let mailbox = current() { return mailbox }
        var delay = Self.firstDelay
        while true {
            let failure: RPCError
            let attempt = connect()
            let wanted = goesAhead ? attempt.open : attempt.ready
            do throws(RPCError) { return try await wanted.mailbox(deadline: deadline) } catch {
                failure = error
            }
            guard waitForReady, failure.code == .unavailable, !isClosed else { throw failure }
            try await pause(delay, deadline: deadline, failure)
            delay = Self.next(delay)
        }
    }

    /// The connection is not to be used for new calls.
    func discard(_ mailbox: Mailbox) {
        state.withLock { state in
            switch state.phase {
            case .connecting(let own, _), .ready(let own): if own === mailbox { state.phase = .idle }
            case .idle, .closed: break
            }
        }
    }

    func close() {
        let (before, dial) = state.withLock { state in
            let before = (phase: state.phase, connections: state.connections)
            state.phase = .closed
            return (before, state.dial.take())
        }
        for mailbox in before.connections { mailbox.post(.close) }
        // A server that does not answer would keep those who wait for it, and a socket.
        if case .connecting(_, let attempt) = before.phase { attempt.fail(Self.closed) }
        if let dial { EventLoop.shared.execute { dial.value.cancel(Self.closed) } }
    }

    func waitUntilClosed() async {
        await withUnsafeContinuation { (waiter: WaitList.Waiter) in
            let waits = state.withLock { state in
                let ticket = state.waiters.ticket()
                return !state.connections.isEmpty && state.waiters.add(waiter, ticket)
            }
            if !waits { waiter.resume() }
        }
    }

    // MARK: - Connecting

    /// Begins, and waits for nothing.
    func connectAhead() { _ = connect() }

    /// The connection, if it is ready for calls.
    func current() -> Mailbox? {
        state.withLock { if case .ready(let mailbox) = $0.phase { mailbox } else { nil } }
    }

    private var isClosed: Bool {
        state.withLock { if case .closed = $0.phase { true } else { false } }
    }

    static func next(_ delay: Duration) -> Duration { min(delay * 2, longestDelay) }

    /// Waits before the next attempt, a little longer or shorter, so that many clients do not come at once.
    func pause(
        _ delay: Duration,
        deadline: Deadline?,
        _ failure: RPCError
    ) async throws(RPCError) {
        let late = RPCError(.deadlineExceeded, "waited for the server: \(failure.message)")
        var delay = delay * Double.random(in: 0.8...1.2)
        if let deadline {
            let left = deadline.remaining
            guard left > .zero else { throw late }
            delay = min(delay, left)
        }
        do { try await Task.sleep(for: delay) } catch { throw RPCError(.cancelled, "the task was cancelled") }
        if let deadline, deadline.remainingNanos == 0 { throw late }
    }

    private func connect() -> Attempt {
        let loop = EventLoop.shared
        let mailbox = Mailbox(loop: loop)
        var attempt = Attempt()
        let isFirst = state.withLock { state in
            switch state.phase {
            case .ready(let mailbox):
                attempt.ready = PendingConnection(.ready(mailbox))
                attempt.open = attempt.ready
            case .connecting(_, let other): attempt = other
            case .closed: attempt.fail(Self.closed)
            case .idle:
                state.phase = .connecting(mailbox, attempt)
                return true
            }
            return false
        }
        if isFirst { loop.execute { [self, attempt] in dial(mailbox, attempt, on: loop) } }
        return attempt
    }

    // On the loop.

    private func dial(_ mailbox: Mailbox, _ attempt: Attempt, on loop: EventLoop) {
        let dial = Dial(address, on: loop, while: { [self] in !isClosed }) { [self] outcome in
            state.withLock { $0.dial = nil }
            do {
                switch consume outcome {
                case .success(let socket): try configure(socket, mailbox, attempt, on: loop)
                case .failure(let error): throw error
                }
            } catch {
                discard(mailbox)
                let error = error as? RPCError ?? RPCError(.unavailable, "connect \(address): \(error)")
                attempt.fail(error)
            }
        }
        let isWanted = state.withLock { state in
            if case .closed = state.phase { return false }
            state.dial = EventLoop.Bound(dial)
            return true
        }
        if isWanted { dial.start() }
    }

    private func configure(
        _ socket: consuming Descriptor,
        _ mailbox: Mailbox,
        _ attempt: Attempt,
        on loop: EventLoop
    ) throws {
        let address = address
        let peer = InternetSocket.peerAddress(of: socket.raw) ?? ""
        let session = try security?.makeSession(with: peer)
        let stream = ByteStream(socket, session, on: loop) { [weak self] in self?.forget(mailbox) }
        let bound = EventLoop.Bound(stream)
        let timer = loop.schedule(after: Self.settingsTimeout) {
            attempt.fail(RPCError(.unavailable, "connect \(address): no answer"))
            bound.value.close("no answer")
        }
        let role = role(mailbox, attempt) { loop.cancel(timer) }
        let keepAlive = state.withLock { state in
            state.connections.append(mailbox)
            return state.keepAlive
        }
        let connection = Connection(
            mailbox: mailbox,
            role: role,
            loop: loop,
            stream: stream,
            keepAlive: keepAlive
        )
        do { try connection.start() } catch {
            forget(mailbox)
            throw error
        }
        // It may have been closed meanwhile, when there was no connection to tell.
        if isClosed {
            mailbox.post(.close)
        } else if case .unixSocket = address, security == nil {
            attempt.open.settle(.ready(mailbox))
        }
    }

    /// - Parameter isHeard: Called when the server has spoken, or the connection has ended.
    private func role(_ mailbox: Mailbox, _ attempt: Attempt, isHeard: @escaping () -> Void) -> ClientRole {
        ClientRole(
            onReady: { [self] in
                isHeard()
                ready(mailbox)
                attempt.open.settle(.ready(mailbox))
                attempt.ready.settle(.ready(mailbox))
            },
            onDismissal: { [weak self] asksTooOften in
                self?.discard(mailbox)
                if asksTooOften { self?.askLessOften() }
            },
            onDisconnect: { [weak self] reason in
                isHeard()
                self?.discard(mailbox)
                attempt.fail(RPCError(.unavailable, reason))
            }
        )
    }

    private func forget(_ mailbox: Mailbox) {
        let waiters = state.withLock { state -> WaitList.Waiters in
            state.connections.removeAll { $0 === mailbox }
            return state.connections.isEmpty ? state.waiters.takeAll() : .none
        }
        waiters.resume()
    }

    private func ready(_ mailbox: Mailbox) {
        record.noteConnection()
        state.withLock { state in
            if case .connecting(let own, _) = state.phase, own === mailbox { state.phase = .ready(mailbox) }
        }
    }

    /// The server takes the PINGs for a nuisance.
    private func askLessOften() { state.withLock { $0.keepAlive = $0.keepAlive?.calmer } }
}
