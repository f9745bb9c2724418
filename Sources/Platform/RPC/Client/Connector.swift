// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import System

/// Makes and remakes a channel's connection. New calls go to at most one at a time; those that the server
/// takes no more calls on exist beside it until theirs have ended.
final class Connector: Sendable {
    private enum Phase {
        case idle
        case connecting(Mailbox, EventLoopFuture<Mailbox>)
        case ready(Mailbox)
        case closed
    }

    private struct State {
        var phase = Phase.idle
        /// All that exist, also those that new calls do not go to, and their ends.
        var connections: [(mailbox: Mailbox, end: EventLoopFuture<Void>)] = []
        var keepAlive: KeepAlive?
    }

    private let address: ServerAddress
    private let security: (any TransportSecurity)?
    private let record: ChannelRecord
    private let state: Mutex<State>
    /// What `:authority` says, and whether `:scheme` is https.
    let authority: (name: String, isSecure: Bool)?

    /// A server that accepts but does not speak is taken for absent after this time.
    private static let settingsTimeout = TimeAmount.seconds(20)
    private static let placeDelay = TimeAmount.milliseconds(2)
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
        if case .tcp = address { authority = (address.description, security != nil) } else { authority = nil }
    }

    /// A connection that is ready for calls.
    /// - Throws: `.unavailable` when there is no server (and the caller does not wait), `.deadlineExceeded`,
    ///   `.cancelled`.
    func connection(
        deadline: Deadline?,
        waitForReady: Bool
    ) async throws(RPCError) -> Mailbox {
        if let mailbox = current() { return mailbox }
        var delay = Self.firstDelay
        while true {
            let failure: RPCError
            do throws(RPCError) { return try await attempt(deadline: deadline) } catch { failure = error }
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
        let mailboxes = state.withLock { state in
            state.phase = .closed
            return state.connections.map(\.mailbox)
        }
        for mailbox in mailboxes { mailbox.post(.close) }
    }

    func waitUntilClosed() async {
        let ends = state.withLock { $0.connections.map(\.end) }
        for end in ends { try? await end.get() }
    }

    // MARK: - Connecting

    /// Begins, and waits for nothing.
    func connectAhead() { _ = try? connect() }

    private func current() -> Mailbox? {
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

    private func attempt(deadline: Deadline?) async throws(RPCError) -> Mailbox {
        let future = try connect()
        // A promise of its own, which time and cancellation can fail without touching the connection.
        let promise = future.eventLoop.makePromise(of: Mailbox.self)
        future.cascade(to: promise)
        let timer = deadline.map { deadline in
            future.eventLoop.scheduleTask(in: .nanoseconds(deadline.remainingNanos)) {
                promise.fail(
                    RPCError(.deadlineExceeded, "the deadline has passed before there was a connection")
                )
            }
        }
        defer { timer?.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                promise.fail(RPCError(.cancelled, "the task was cancelled"))
            }
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(.unavailable, "connect \(address): \(error)")
        }
    }

    private func connect() throws(RPCError) -> EventLoopFuture<Mailbox> {
        let loop = EventLoops.all.next()
        let mailbox = Mailbox(loop: loop)
        let promise = loop.makePromise(of: Mailbox.self)
        let existing = state.withLock { state -> Result<EventLoopFuture<Mailbox>?, RPCError> in
            switch state.phase {
            case .ready(let mailbox): return .success(loop.makeSucceededFuture(mailbox))
            case .connecting(_, let future): return .success(future)
            case .closed: return .failure(RPCError(.unavailable, "the channel is closed"))
            case .idle:
                state.phase = .connecting(mailbox, promise.futureResult)
                return .success(nil)
            }
        }
        do throws(RPCError) {
            if let future = try existing.get() {
                promise.fail(CancellationError())
                return future
            }
        } catch {
            promise.fail(error)
            throw error
        }
        dial(mailbox, promise, on: loop)
        return promise.futureResult
    }

    private func dial(_ mailbox: Mailbox, _ promise: EventLoopPromise<Mailbox>, on loop: any EventLoop) {
        let bootstrap: @Sendable () -> ClientBootstrap = {
            ClientBootstrap(group: loop)
                .channelOption(
                    ChannelOptions.writeBufferWaterMark,
                    value: .init(low: 64 << 10, high: 256 << 10)
                )
                .connectTimeout(Self.settingsTimeout)
        }
        let channel: EventLoopFuture<any NIOCore.Channel>
        switch address {
        case .tcp(let host, let port):
            // A name's addresses are tried side by side; the one that answers becomes the connection.
            channel = bootstrap()
                .channelOption(ChannelOptions.autoRead, value: false)
                .connect(host: host, port: port)
                .flatMapThrowing { [self] channel in
                    do {
                        try configure(channel, mailbox, promise, nil)
                        try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
                    } catch {
                        channel.close(promise: nil)
                        throw error
                    }
                    return channel
                }
        case .unixSocket(let path):
            channel = socket(to: path, on: loop, until: .now() + Self.settingsTimeout)
                .flatMap { [self] socket in
                    bootstrap()
                        .channelInitializer { channel in
                            channel.eventLoop.makeCompletedFuture {
                                try self.configure(channel, mailbox, promise, socket)
                            }
                        }
                        .withConnectedSocket(socket)
                }
        }
        channel.whenFailure { [self] error in
            discard(mailbox)
            promise.fail(error as? RPCError ?? RPCError(.unavailable, "connect \(address): \(error)"))
        }
    }

    /// A connected socket. While as many clients wait for the server to accept them as may, it is tried again: on a
    /// socket that does not block, the kernel does not wait for a place.
    private func socket(
        to path: String,
        on loop: any EventLoop,
        until deadline: NIODeadline
    ) -> EventLoopFuture<NIOBSDSocket.Handle> {
        do throws(SystemError) {
            let socket = try UnixSocket.connect(.stream, to: path, nonBlocking: true)
            return loop.makeSucceededFuture(socket.relinquish())
        } catch {
            guard error.code == ErrorNumber.tryAgain, NIODeadline.now() < deadline, !isClosed else {
                return loop.makeFailedFuture(RPCError(.unavailable, "\(error)"))
            }
            return loop.scheduleTask(in: Self.placeDelay) {}.futureResult.flatMap { [self] in
                self.socket(to: path, on: loop, until: deadline)
            }
        }
    }

    private func configure(
        _ channel: any NIOCore.Channel,
        _ mailbox: Mailbox,
        _ promise: EventLoopPromise<Mailbox>,
        _ socket: NIOBSDSocket.Handle?
    ) throws {
        let address = address
        let timer = channel.eventLoop.scheduleTask(in: Self.settingsTimeout) {
            promise.fail(RPCError(.unavailable, "connect \(address): no answer"))
            channel.close(promise: nil)
        }
        let role = ClientRole(
            onReady: { [self] in
                timer.cancel()
                ready(mailbox)
                promise.succeed(mailbox)
            },
            onDismissal: { [weak self] asksTooOften in
                self?.discard(mailbox)
                if asksTooOften { self?.askLessOften() }
            },
            onDisconnect: { [weak self] reason in
                timer.cancel()
                self?.discard(mailbox)
                promise.fail(RPCError(.unavailable, reason))
            }
        )
        let keepAlive = state.withLock { state in
            state.connections.append((mailbox, channel.closeFuture))
            return state.keepAlive
        }
        channel.closeFuture.whenComplete { [weak self] _ in self?.forget(mailbox) }
        try security?.secure(channel)
        try channel.pipeline.syncOperations.addHandler(
            Connection(
                mailbox: mailbox,
                role: role,
                loop: channel.eventLoop,
                keepAlive: keepAlive,
                security: security,
                socket: security == nil ? socket : nil
            )
        )
        // The channel may have been closed meanwhile, when there was no connection to tell.
        if isClosed { mailbox.post(.close) }
    }

    private func forget(_ mailbox: Mailbox) {
        state.withLock { $0.connections.removeAll { $0.mailbox === mailbox } }
    }

    /// The server takes the PINGs for a nuisance.
    private func askLessOften() { state.withLock { $0.keepAlive = $0.keepAlive?.calmer } }

    private func ready(_ mailbox: Mailbox) {
        record.noteConnection()
        state.withLock { state in
            if case .connecting(let own, _) = state.phase, own === mailbox { state.phase = .ready(mailbox) }
        }
    }
}
