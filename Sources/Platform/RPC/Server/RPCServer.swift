// SPDX-License-Identifier: Apache-2.0
package import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
package import System

/// Serves gRPC on listening sockets, `grpc.health.v1` and server reflection included.
///
/// It owns the connections that it accepts and their handlers' tasks: `serve` returns when all are gone.
package final class RPCServer: Sendable {
    private struct State {
        var isDraining = false
        var isStopped = false
        var listeners: [any NIOCore.Channel] = []
        var connections: [ObjectIdentifier: Mailbox] = [:]
        var waiters = WaitList()
    }

    private let state = Mutex(State())
    private let dispatcher: Dispatcher
    private let health: HealthService
    private let logger: Logger
    private let gracePeriod: Duration
    private let keepAlive: KeepAlive?

    /// - Parameters:
    ///   - quick: Methods whose handlers never hold up a thread (the disk, a long computation): they run on the thread that
    ///     moves the bytes, everything else in the shared pool. `petrel.engine.v1.Containers/Start`.
    ///   - messageLimit: Most bytes of one message, in either direction.
    ///   - observers: Told of every call, after the log.
    ///   - interceptors: Around every handler, the first outermost.
    ///   - keepAlive: How clients that are gone without a word are noticed; nil: not, as on a Unix socket the kernel tells.
    ///   - gracePeriod: How long calls may go on after `gracefulShutdown`; then they are cancelled.
    /// - Precondition: No two services have the same name, and every quick method is one of theirs.
    package init(
        services: [any RPCService],
        quick: Set<String> = [],
        messageLimit: Int = 4 << 20,
        observers: [any CallObserver] = [],
        interceptors: [any ServerInterceptor] = [],
        keepAlive: KeepAlive? = nil,
        logger: Logger,
        gracePeriod: Duration = .seconds(5)
    ) {
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
            observers: [CallLog(logger: logger)] + observers,
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
        let raw = descriptor.relinquish()
        let admission = Admission(limit: connectionLimit, logger: logger)
        let listener: any NIOCore.Channel
        do {
            listener = try await ServerBootstrap(group: EventLoops.all)
                // NIO calls listen(2) again, on a socket that may have listened for long.
                .serverChannelOption(ChannelOptions.backlog, value: 4096)
                .serverChannelOption(ChannelOptions.maxMessagesPerRead, value: 16)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AcceptPause { admission.failed($0) })
                    }
                }
                .childChannelOption(
                    ChannelOptions.writeBufferWaterMark,
                    value: .init(low: 64 << 10, high: 256 << 10)
                )
                .childChannelInitializer { [self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        if admission.admit(channel) { try accept(channel, security) }
                    }
                }
                .withBoundSocket(raw)
                .get()
        } catch {
            throw RPCError(.unavailable, "cannot serve: \(error)")
        }
        let isRefused = state.withLock { state in
            if !state.isDraining { state.listeners.append(listener) }
            return state.isDraining
        }
        if isRefused { listener.close(promise: nil) }
        var wasAsked = false
        await withTaskCancellationHandler {
            try? await listener.closeFuture.get()
            wasAsked = state.withLock { $0.isDraining }
            await waitForCalls()
        } onCancel: {
            stop()
        }
        guard wasAsked else { throw RPCError(.unavailable, "the listening socket failed") }
    }

    /// Takes no more connections and calls, and lets the calls finish; health says NOT_SERVING meanwhile.
    package func gracefulShutdown() {
        let (listeners, connections) = state.withLock { state -> ([any NIOCore.Channel], [Mailbox]) in
            guard !state.isDraining else { return ([], []) }
            state.isDraining = true
            return (state.listeners, Array(state.connections.values))
        }
        health.drain()
        for listener in listeners { listener.close(promise: nil) }
        for connection in connections { connection.post(.drain) }
    }

    /// Closes everything at once.
    private func stop() {
        let (listeners, connections) = state.withLock { state -> ([any NIOCore.Channel], [Mailbox]) in
            state.isDraining = true
            state.isStopped = true
            return (state.listeners, Array(state.connections.values))
        }
        health.drain()
        for listener in listeners { listener.close(promise: nil) }
        for connection in connections { connection.post(.close) }
        wake()
    }

    // MARK: - Connections

    private func accept(_ channel: any NIOCore.Channel, _ security: (any TransportSecurity)?) throws {
        try security?.secure(channel)
        let mailbox = Mailbox(loop: channel.eventLoop, unread: UnreadBytes(), queued: QueuedBytes())
        let socket = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        let key = ObjectIdentifier(mailbox)
        let role = ServerRole(
            dispatcher: dispatcher,
            peer: socket.flatMap { Self.peer(of: $0) },
            mailbox: mailbox,
            peerCertificate: { [unowned channel] in security?.peerCertificate(of: channel) },
            onDisconnect: { [weak self] in self?.disconnected(key) }
        )
        let isDraining = state.withLock { state in
            state.connections[key] = mailbox
            return state.isDraining
        }
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
        if isDraining { mailbox.post(.drain) }
    }

    private static func peer(of socket: NIOBSDSocket.Handle) -> PeerCredentials? {
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
        let closer = EventLoops.all.next().scheduleTask(in: .init(gracePeriod)) { [self] in stop() }
        let limit = EventLoops.all.next().scheduleTask(in: .init(gracePeriod * 2)) { [self] in
            logger.warning(
                "handlers ignore their cancellation",
                metadata: ["count": "\(dispatcher.runningCount)"]
            )
            isAbandoned.withLock { $0 = true }
            wake()
        }
        defer {
            closer.cancel()
            limit.cancel()
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
