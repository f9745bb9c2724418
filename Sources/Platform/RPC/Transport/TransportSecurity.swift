// SPDX-License-Identifier: Apache-2.0

/// What encrypts a TCP connection and knows who is at its other end. Its conformer is a module of its own, so that programs which
/// only use Unix sockets do not carry a TLS library.
package protocol TransportSecurity: Sendable {
    /// One connection's session, on the event loop.
    /// - Parameter peer: The address of the other end, without its port.
    /// - Throws: What is wrong with the configuration.
    func makeSession(with peer: String) throws -> any SecureSession
}

/// What becomes of a connection's bytes in both directions, and the agreement about it. Used on the event loop; it touches no socket.
package protocol SecureSession: AnyObject {
    /// Begins the handshake.
    func begin() throws

    /// Takes what has arrived.
    func receive(_ encrypted: UnsafeRawBufferPointer) throws

    /// Takes what is to be sent; it waits for the agreement.
    func write(_ plain: UnsafeRawBufferPointer) throws

    /// Says that nothing more is to be sent.
    func end()

    /// What is to be sent next.
    func nextOutput() throws -> [UInt8]?

    /// What has arrived next, decrypted.
    func nextInput() throws -> [UInt8]?

    /// Nil until the handshake is over.
    var agreement: SecureAgreement? { get }

    /// The peer has said that it sends no more, or the session has failed.
    var hasEnded: Bool { get }
}

/// What both ends of an encrypted connection have agreed on.
package struct SecureAgreement: Sendable {
    /// By ALPN; `h2` has to be.
    package let protocolName: String?
    /// Why this peer is not the one that was called, in words that follow its address; nil: it is.
    package let refusal: String?
    /// The certificate that the peer has proved to own, in DER; nil when it has shown none.
    package let peerCertificate: [UInt8]?

    package init(protocolName: String?, refusal: String?, peerCertificate: [UInt8]?) {
        self.protocolName = protocolName
        self.refusal = refusal
        self.peerCertificate = peerCertificate
    }
}
