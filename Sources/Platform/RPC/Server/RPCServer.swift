// SPDX-License-Identifier: Apache-2.0
internal import Events
package import Logging
internal import Synchronization
package import System

/// Serves gRPC on listening sockets, `grpc.health.v1` and server reflection included.
///
/// It owns the connections that it accepts and their handlers' tasks: `serve` returns when all are gone.
package final class RPCServer: Sendable {
    private struct State {
        var isDraining = false
        var isStopped = false
        var listeners: [Listener] = []
        var connections: [ObjectIdentifier: Mailbox] = [:]
        var waiters = WaitList()
    }

    private let state = Mutex(State())
    private let dispatcher: Dispatcher
    private let health: HealthService
    private let logger: Logger
    private let gracePeriod: Duration
    private let keepAlive: KeepAlive?
    private let onStop: @Sendable () -> Void

    /// - Parameters:
    ///   - quick: Methods whose handlers never hold up a thread (the disk, a long computation): they run on the thread that
    ///     moves the bytes, everything else in the shared pool. `petrel.engine.v1.Containers/Start`.
    ///   - messageLimit: Most bytes of one message, in either direction.
    ///   - observers: Told of every call, after the log.
    ///   - interceptors: Around every handler, the first outermost.
    ///   - keepAlive: How clients that are gone without a word are noticed; nil: not, as on a Unix socket the kernel tells.
    ///   - gracePeriod: How long calls may go on after `gracefulShutdown`; then they are cancelled.
    ///   - onStop: Called before that, and before calls are cancelled because the task of `serve` is, perhaps more than once: a
    ///     handler that sees its call end afterwards cannot take it for its client's doing. From any thread; must not block.
    /// - Precondition: No two services have the same name, and every quick method is one of theirs.
    package init(
        services: [any RPCService],
        quick: Set<String> = [],
        messageLimit: Int = 4 << 20,
        observers: [any CallObserver] = [],
        interceptors: [any ServerInterceptor] = [],
        keepAlive: KeepAlive? = nil,
        logger: Logger,
        gracePeriod: Duration = .seconds(5),
        onStop: @escaping @Sendable () -> Void = {}
    ) {
        self.onStop = onStop
        self.logger = logger
        self.gracePeriod = gracePeriod
        self.keepAlive = keepAlive
        let versions = ReflectionService.Version.allCases
        health = HealthService(services: services, more: versions.map(ReflectionService.name))
        let services = services + [health]
        let library = DefinitionLibrary(
            services: services.map(\.serviceName) + versions.map(ReflectionService.name),
            files: services.flatMap(\.fileDescriptors) + versions.map(ReflectionService.file)
        )
        let reflection = versions.map { ReflectionService($0, library: library) }
        dispatcher = Dispatcher(
            services: services + reflection,
            quick: quick,
            messageLimit: messageLimit,
            log: CallLog(logger),
            observers: observers,
            interceptors: interceptors
        )
    }

    /// Accepts connections on a socket that listens, until the task is cancelled (calls are cancelled too) or
    /// `gracefulShutdown` is called (calls finish). Rightly endless otherwise.
    /// - Throws: `.unavailable` when the socket cannot be used.
    /// - Parameters:
    ///   - security: What encrypts its connections; nil: nothing, for Unix sockets.
    ///   - connectionLimit: Most connections at a time; what comes beyond them is closed, which is logged.
    package func serve(
        listening descriptor: consuming Descriptor,
        security: (any TransportSecurity)? = nil,
        connectionLimit: Int = 4096
    ) async throws {
        let admission = Admission(limit: connectionLimit, logger: logger)
        let listener = Listener(descriptor, on: .shared, admission) { [self] socket in
            accept(socket, security, admission)
        }
        let isRefused = state.withLock { state in
            if !state.isDraining { state.listeners.append(listener) }
            return state.isDraining
        }
        if isRefused { listener.close() }
        var wasAsked = false
        await withTaskCancellationHandler {
            await listener.run()
            wasAsked = state.withLock { state in
                // It keeps the server, for what it accepts.
                state.listeners.removeAll { $0 === listener }
                return state.isDraining
            }
            await waitForCalls()
        } onCancel: {
            stop()
        }
        guard wasAsked else { throw RPCError(.unavailable, "the listening socket failed") }
    }

    /// Takes no more connections and calls, and lets the calls finish; health says NOT_SERVING meanwhile.
    package func gracefulShutdown() {
        let (listeners, connections) = state.withLock { state -> ([Listener], [Mailbox]) in
            guard !state.isDraining else { return ([], []) }
            state.isDraining = true
            return (state.listeners, Array(state.connections.values))
        }
        health.drain()
        for listener in listeners { listener.close() }
        for connection in connections { connection.post(.drain) }
    }

    /// Closes everything at once.
    private func stop() {
        onStop()
        let (listeners, connections) = state.withLock { state -> ([Listener], [Mailbox]) in
            state.isDraining = true
            state.isStopped = true
            return (state.listeners, Array(state.connections.values))
        }
        health.drain()
        for listener in listeners { listener.close() }
        for connection in connections { connection.post(.close) }
        wake()
    }

    // MARK: - Connections

    /// On the loop.
    private func accept(
        _ socket: consuming Descriptor,
        _ security: (any TransportSecurity)?,
        _ admission: Admission
    ) {
        let loop = EventLoop.shared
        let raw = socket.raw
        InternetSocket.sendAtOnce(raw)
        do {
            let session = try security?.makeSession(with: InternetSocket.peerAddress(of: raw) ?? "")
            let stream = ByteStream(socket, session, on: loop) { admission.leave() }
            let mailbox = Mailbox(loop: loop, unread: UnreadBytes(), queued: QueuedBytes())
            let key = ObjectIdentifier(mailbox)
            let role = ServerRole(
                dispatcher: dispatcher,
                peer: Self.peer(of: raw),
                mailbox: mailbox,
                onDisconnect: { [weak self] in self?.disconnected(key) }
            )
            let ending = state.withLock { state -> Mailbox.Order? in
                state.connections[key] = mailbox
                return state.isStopped ? .close : state.isDraining ? .drain : nil
            }
            let connection = Connection(
                mailbox: mailbox,
                role: role,
                loop: loop,
                stream: stream,
                keepAlive: keepAlive
            )
            try connection.start()
            if let ending { mailbox.post(ending) }
        } catch {
            admission.leave()
            admission.failed(error)
        }
    }

    private static func peer(of socket: Int32) -> PeerCredentials? {
        let credentials = try? SocketMessages.peer(of: socket)
        // Who is connected over TCP is nobody that the kernel knows.
        guard let credentials, credentials.uid != .max else { return nil }
        return PeerCredentials(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }

    private func disconnected(_ key: ObjectIdentifier) {
        _ = state.withLock { $0.connections.removeValue(forKey: key) }
        wake()
    }

    // MARK: - The end

    private func wake() {
        let waiters = state.withLock { $0.waiters.takeAll() }
        waiters.resume()
    }

    /// Returns when no connection and no handler is left. After the grace period, or when the task is cancelled, what
    /// is left is cancelled, and has as long again.
    private func waitForCalls() async {
        dispatcher.whenIdle { [weak self] in self?.wake() }
        let closer = EventLoop.shared.schedule(after: gracePeriod) { [self] in stop() }
        let limit = EventLoop.shared.schedule(after: gracePeriod * 2) { [self] in
            logger.warning(
                "handlers ignore their cancellation",
                metadata: ["count": "\(dispatcher.runningCount)"]
            )
            isAbandoned.withLock { $0 = true }
            wake()
        }
        defer {
            EventLoop.shared.cancel(closer)
            EventLoop.shared.cancel(limit)
        }
        while !isQuiet {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { state in
                    let ticket = state.waiters.ticket()
                    return state.waiters.add(waiter, ticket)
                }
                // What ended in between woke nobody.
                if !waits || isQuiet { wake() }
            }
        }
    }

    private let isAbandoned = Mutex(false)

    private var isQuiet: Bool {
        let connections = state.withLock { $0.connections.count }
        return (connections == 0 && dispatcher.runningCount == 0) || isAbandoned.withLock { $0 }
    }
}
