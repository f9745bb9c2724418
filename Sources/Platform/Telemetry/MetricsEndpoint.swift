// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import RPC
internal import Synchronization
package import System

/// Serves a daemon's metrics over HTTP/1.1. It owns its listening socket and the connections.
package final class MetricsEndpoint: Sendable {
    private struct State {
        var isRunning = false
        var connections: [ObjectIdentifier: any NIOCore.Channel] = [:]
    }

    /// A thread of its own, once one is wanted: what is asked here must not hold up the daemon's calls.
    private static let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private static let connectionLimit = 32
    /// What a connection may take, from its beginning to its end.
    private static let patience = TimeAmount.seconds(30)

    private let metrics: CallMetrics
    private let state = Mutex(State())
    /// What it listens on; the port where 0 was asked for.
    package let port: UInt16
    private let listener: SharedDescriptor

    /// Listens from here on; answers while `run` does.
    /// - Throws: `EADDRINUSE`, `EADDRNOTAVAIL`.
    package init(at place: MetricsAddress, _ metrics: CallMetrics) throws(SystemError) {
        self.metrics = metrics
        let socket = try InternetSocket.listen(on: place.address, port: place.port)
        port = try InternetSocket.port(of: socket.raw)
        listener = SharedDescriptor(socket)
    }

    /// Until the task is cancelled; no connection is left then. Rightly endless otherwise.
    package func run() async throws {
        state.withLock { $0.isRunning = true }
        let raw = try listener.duplicate().relinquish()
        let channel = try await ServerBootstrap(group: Self.loop)
            .serverChannelOption(ChannelOptions.backlog, value: 64)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
                }
            }
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
            .withBoundSocket(raw)
            .get()
        await withTaskCancellationHandler {
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        let left = state.withLock { state in
            state.isRunning = false
            return Array(state.connections.values)
        }
        for connection in left { connection.close(promise: nil) }
        for connection in left { try? await connection.closeFuture.get() }
    }

    private func accept(_ channel: any NIOCore.Channel) throws {
        let key = ObjectIdentifier(channel)
        let isAdmitted = state.withLock { state in
            guard state.isRunning, state.connections.count < Self.connectionLimit else { return false }
            state.connections[key] = channel
            return true
        }
        guard isAdmitted else {
            channel.close(promise: nil)
            return
        }
        let timer = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [self] _ in
            timer.cancel()
            _ = state.withLock { $0.connections.removeValue(forKey: key) }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
        try pipeline.addHandler(Answerer(metrics))
    }

    /// One connection: a request and its answer.
    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let metrics: CallMetrics
        private var head: HTTPRequestHead?
        private var hasAnswered = false

        init(_ metrics: CallMetrics) { self.metrics = metrics }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end:
                guard let head, !hasAnswered else { return }
                // One answer for each connection: what is asked without reading must not pile up.
                hasAnswered = true
                answer(head, context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
            let path = request.uri.prefix { $0 != "?" }
            let (status, text): (HTTPResponseStatus, String) =
                switch (request.method, path) {
                case (.GET, "/metrics"), (.HEAD, "/metrics"): (.ok, metrics.text() + ProcessMetrics.text())
                case (_, "/metrics"): (.methodNotAllowed, "only GET\n")
                default: (.notFound, "only /metrics is here\n")
                }
            let body = ByteBuffer(string: text)
            let type =
                status == .ok ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8"
            var headers = HTTPHeaders([("content-type", type), ("content-length", "\(body.readableBytes)")])
            if status == .methodNotAllowed { headers.add(name: "allow", value: "GET, HEAD") }
            headers.add(name: "connection", value: "close")
            let head = HTTPResponseHead(version: request.version, status: status, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if request.method != .HEAD {
                context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            }
            let end = context.writeAndFlush(wrapOutboundOut(.end(nil)))
            let channel = context.channel
            end.whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
