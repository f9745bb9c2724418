// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
package import OCI
internal import Synchronization

/// Talks to registries (distribution API v2) over HTTP/1.1. Owns the connections; `shutdown` ends them.
///
/// Hosts on loopback (`localhost`, 127.0.0.0/8, `::1`) are tried with TLS, whatever their certificate, and then without,
/// as Docker does it; all others with TLS and a certificate that this machine trusts.
package final class RegistryClient: Sendable {
    /// Made when first needed: the library starts threads with them.
    private struct Clients {
        var verified: HTTPClient?
        var unverified: HTTPClient?
        var isShutDown = false
    }

    private let clients = Mutex(Clients())
    private let credentials: @Sendable (_ registry: String) -> RegistryCredentials?
    private let logger: Logger

    package init(
        logger: Logger,
        credentials: @escaping @Sendable (_ registry: String) -> RegistryCredentials? = { _ in nil }
    ) {
        self.logger = logger
        self.credentials = credentials
    }

    package func shutdown() async {
        let clients = clients.withLock { clients in
            clients.isShutDown = true
            return clients
        }
        try? await clients.verified?.shutdown()
        try? await clients.unverified?.shutdown()
    }

    private enum Trust { case machine, anybody }

    private func client(trusting trust: Trust) throws(RegistryError) -> HTTPClient {
        let client = clients.withLock { clients -> HTTPClient? in
            guard !clients.isShutDown else { return nil }
            if let client = trust == .machine ? clients.verified : clients.unverified { return client }
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: Self.configuration(trust == .machine ? .fullVerification : .none)
            )
            if trust == .machine { clients.verified = client } else { clients.unverified = client }
            return client
        }
        guard let client else { throw .cancelled }
        return client
    }

    /// Finds out how the registry of `reference` is reached.
    /// - Parameter plainHTTP: Without TLS, on any host.
    /// - Throws: `.unreachable`; `.cancelled`.
    package func open(_ reference: Reference, plainHTTP: Bool) async throws(RegistryError) -> RegistrySession
    {
        let host = reference.domain == "docker.io" ? "registry-1.docker.io" : reference.domain
        let isLoopback = Self.isLoopback(host)
        let client = try client(trusting: isLoopback ? .anybody : .machine)
        var reason = ""
        for scheme in plainHTTP ? ["http"] : isLoopback ? ["https", "http"] : ["https"] {
            let session = RegistrySession(
                client: client,
                base: "\(scheme)://\(host)",
                registry: reference.domain,
                repository: reference.path,
                credentials: credentials(reference.domain),
                logger: logger
            )
            let failure: RegistryError
            do throws(RegistryError) {
                try await session.ping()
                return session
            } catch {
                failure = error
            }
            guard case .unreachable(_, let text) = failure else { throw failure }
            reason = reason.isEmpty || text == reason ? text : "\(reason); \(text)"
        }
        throw .unreachable(registry: reference.domain, reason: reason)
    }

    private static func configuration(_ verification: CertificateVerification) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = verification
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .follow(max: 5, allowCycles: false)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(60))
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    static func isLoopback(_ host: String) -> Bool {
        var name = Substring(host)
        if name.hasPrefix("[") {
            name = name.dropFirst().prefix { $0 != "]" }
        } else if let colon = name.lastIndex(of: ":") {
            name = name[..<colon]
        }
        if name == "localhost" || name == "::1" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
