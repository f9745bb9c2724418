// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOSSL
package import RPC

/// One end of TLS 1.3 connections whose both ends have certificates.
package struct MutualTLS: TransportSecurity {
    /// What is wrong with the files, in one lower-case line: which file, and why.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private enum End: Sendable {
        case server
        /// The name that the server's certificate must have; nil: its address.
        case client(serverName: String?)
    }

    private let context: NIOSSLContext
    private let end: End

    /// A server's end.
    /// - Parameters:
    ///   - certificate: The file of its certificate chain, PEM, its own first.
    ///   - key: The file of its private key, PEM.
    ///   - roots: The file of the certificates that clients' ones must come from, PEM.
    package static func server(
        certificate: String,
        key: String,
        roots: String
    ) throws(Failure) -> MutualTLS {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain(certificate),
            privateKey: try privateKey(key)
        )
        // A client's certificate has no name to be compared with.
        configuration.certificateVerification = .noHostnameVerification
        return MutualTLS(context: try makeContext(configuration, roots), end: .server)
    }

    /// A client's end.
    /// - Parameters:
    ///   - host: Whom it will call: a name, or an address.
    ///   - certificate: The file of its certificate chain, PEM, its own first.
    ///   - key: The file of its private key, PEM.
    ///   - roots: The file of the certificates that the server's one must come from, PEM.
    package static func client(
        of host: String,
        certificate: String,
        key: String,
        roots: String
    ) throws(Failure) -> MutualTLS {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateChain = try chain(certificate)
        configuration.privateKey = try privateKey(key)
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return MutualTLS(
            context: try makeContext(configuration, roots),
            end: .client(serverName: isAddress ? nil : host)
        )
    }

    package func makeSession(with peer: String) throws -> any SecureSession {
        let address = try SocketAddress(ipAddress: peer, port: 0)
        return try TLSSession(handler(), peer: address, refusal)
    }

    private func handler() throws -> any ChannelHandler {
        switch end {
        case .server: NIOSSLServerHandler(context: context)
        case .client(let name): try NIOSSLClientHandler(context: context, serverHostname: name)
        }
    }

    /// Why a certificate is not the one of the server that was called.
    private func refusal(_ certificate: NIOSSLCertificate?) -> String? {
        guard case .client(let name?) = end else { return nil }
        // The library also takes a certificate of the address that the name has led to; names can be made to lead anywhere.
        guard let certificate else { return "the server has shown no certificate" }
        let hasName = certificate._subjectAlternativeNames().contains { alternative in
            alternative.nameType == .dnsName
                && alternative.contents.withUnsafeBufferPointer {
                    ServerName.matches(Array($0), Array(name.utf8))
                }
        }
        return hasName ? nil : "the server's certificate is not for \(name)"
    }

    // MARK: - Files

    private static func makeContext(
        _ configuration: TLSConfiguration,
        _ roots: String
    ) throws(Failure) -> NIOSSLContext {
        var configuration = configuration
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["h2"]
        // Given as certificates, not as a path: a file without any would otherwise trust nobody, silently.
        configuration.trustRoots = .certificates(try certificates(roots))
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw Failure(description: "certificate and key do not fit together: \(error)")
        }
    }

    private static func chain(_ path: String) throws(Failure) -> [NIOSSLCertificateSource] {
        try certificates(path).map { .certificate($0) }
    }

    private static func certificates(_ path: String) throws(Failure) -> [NIOSSLCertificate] {
        let certificates: [NIOSSLCertificate]
        do { certificates = try NIOSSLCertificate.fromPEMFile(path) } catch {
            throw Failure(description: "\(path) has no certificate in PEM: \(error)")
        }
        guard !certificates.isEmpty else { throw Failure(description: "\(path) has no certificate in PEM") }
        return certificates
    }

    private static func privateKey(_ path: String) throws(Failure) -> NIOSSLPrivateKeySource {
        do { return .privateKey(try NIOSSLPrivateKey(file: path, format: .pem)) } catch {
            throw Failure(description: "\(path) has no private key in PEM: \(error)")
        }
    }
}
