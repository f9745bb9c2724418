// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// What encrypts a TCP connection and knows who is at its other end. Its conformer is a module of its own, so that programs which
/// only use Unix sockets do not carry a TLS library.
package protocol TransportSecurity: Sendable {
    /// Adds what encrypts to a new channel's empty pipeline, on its event loop. The protocol `h2` must be agreed on; whether it was
    /// is told by `TLSUserEvent`.
    /// - Throws: What is wrong with the configuration.
    func secure(_ channel: any NIOCore.Channel) throws

    /// Once the handshake is over: why this peer is not the one that was called, in words that follow its address; nil: it is.
    func refusal(of channel: any NIOCore.Channel) -> String?

    /// The certificate that the peer has proved to own, in DER, once the handshake is over; nil when it has shown none.
    func peerCertificate(of channel: any NIOCore.Channel) -> [UInt8]?
}

/// Where a server is.
package enum ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// A path, which may be longer than a socket address has room for.
    case unixSocket(String)
    /// A name or an address, IPv6 without brackets.
    case tcp(host: String, port: Int)

    package var description: String {
        switch self {
        case .unixSocket(let path): path
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
