// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOEmbedded
internal import NIOSSL
internal import NIOTLS
internal import RPC

/// One connection's TLS: the library's handler in a channel that is fed and emptied by hand, so that the bytes travel as those of
/// any other connection.
final class TLSSession: SecureSession {
    let channel: EmbeddedChannel
    private let peer: SocketAddress
    private let observer: Observer

    /// - Parameter refusal: Why a peer of this certificate is refused; nil: it is not.
    init(
        _ handler: any ChannelHandler,
        peer: SocketAddress,
        _ refusal: @escaping (NIOSSLCertificate?) -> String?
    ) throws {
        channel = EmbeddedChannel()
        self.peer = peer
        observer = Observer(refusal)
        // The library looks here for whom a certificate without a name has to be for.
        channel.remoteAddress = peer
        try channel.pipeline.syncOperations.addHandlers([handler, observer])
    }

    /// The library's parts hold each other until their channel has closed, and a farewell that nobody answers until its time is
    /// up: without this, no session would ever be freed. On the thread that has made it.
    deinit {
        channel.pipeline.fireChannelInactive()
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
    }

    func begin() throws {
        channel.connect(to: peer, promise: nil)
        try check()
    }

    func receive(_ encrypted: UnsafeRawBufferPointer) throws {
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: encrypted))
        channel.pipeline.fireChannelReadComplete()
        try check()
    }

    func write(_ plain: UnsafeRawBufferPointer) throws {
        channel.writeAndFlush(ByteBuffer(bytes: plain), promise: nil)
        try check()
    }

    func end() { channel.close(promise: nil) }

    func nextOutput() throws -> [UInt8]? {
        try channel.readOutbound(as: ByteBuffer.self).map { Array($0.readableBytesView) }
    }

    func nextInput() throws -> [UInt8]? { observer.takeInput() }

    var agreement: SecureAgreement? { observer.agreement }

    var hasEnded: Bool { observer.hasEnded }

    /// What has failed is told once.
    private func check() throws {
        // What the library does later, it has scheduled for now.
        channel.embeddedEventLoop.run()
        if let failure = observer.takeFailure() { throw failure }
    }

    /// Takes what the library makes of what has arrived.
    private final class Observer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let refusal: (NIOSSLCertificate?) -> String?
        private var input: [[UInt8]] = []
        private var failure: (any Error)?
        private(set) var agreement: SecureAgreement?
        private(set) var hasEnded = false

        init(_ refusal: @escaping (NIOSSLCertificate?) -> String?) { self.refusal = refusal }

        func takeInput() -> [UInt8]? { input.isEmpty ? nil : input.removeFirst() }

        func takeFailure() -> (any Error)? {
            defer { failure = nil }
            return failure
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            input.append(Array(unwrapInboundIn(data).readableBytesView))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case .handshakeCompleted(let agreed)? = event as? TLSUserEvent else { return }
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            agreement = SecureAgreement(
                protocolName: agreed,
                refusal: refusal(certificate),
                peerCertificate: try? certificate?.toDERBytes()
            )
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { failure = failure ?? error }

        func channelInactive(context: ChannelHandlerContext) { hasEnded = true }
    }
}
