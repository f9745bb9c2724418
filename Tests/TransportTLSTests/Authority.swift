// SPDX-License-Identifier: Apache-2.0
import RPC
import Synchronization
import System
import TestMessages
import TestSupport
import TransportTLS

/// Issues certificates, by openssl, into a directory: `root.pem`, and `NAME.pem` with `NAME.key`.
struct Authority {
    let directory: String

    init(in directory: String) async throws {
        self.directory = directory
        try Files.makeDirectories(directory)
        try await openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=root",
            "-keyout",
            "root.key",
            "-out",
            "root.pem"
        )
    }

    /// - Parameter names: As openssl writes them: `DNS:localhost,IP:127.0.0.1`.
    func issue(_ name: String, names: String) async throws {
        try await openssl(
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=\(name)",
            "-addext",
            "subjectAltName=\(names)",
            "-keyout",
            "\(name).key",
            "-out",
            "\(name).csr"
        )
        try await openssl(
            "x509",
            "-req",
            "-in",
            "\(name).csr",
            "-CA",
            "root.pem",
            "-CAkey",
            "root.key",
            "-days",
            "2",
            "-copy_extensions",
            "copyall",
            "-out",
            "\(name).pem"
        )
    }

    func client(_ name: String, of host: String) throws -> MutualTLS {
        try client(from: self, name, of: host)
    }

    /// - Parameter issuer: Who has vouched for the client.
    func client(from issuer: Authority, _ name: String, of host: String) throws -> MutualTLS {
        try MutualTLS.client(
            of: host,
            certificate: issuer.directory + "/\(name).pem",
            key: issuer.directory + "/\(name).key",
            roots: directory + "/root.pem"
        )
    }

    func der(_ name: String) async throws -> [UInt8] {
        try await openssl("x509", "-in", "\(name).pem", "-outform", "DER", "-out", "\(name).der")
        return try Files.contents(of: directory + "/\(name).der")
    }

    private func openssl(_ arguments: String...) async throws {
        let command = ["-c", "cd \"$0\" && exec openssl \"$@\"", directory] + arguments
        let outcome = try await blocking { try run("/bin/sh", command) }
        guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
    }
}

/// Remembers who called.
final class Whoami: TestV1.EchoService {
    private let seen = Mutex<[[UInt8]]>([])

    func certificates() -> [[UInt8]] { seen.withLock { $0 } }

    func say(_ request: TestV1.EchoRequest, context: CallContext) async throws -> TestV1.EchoResponse {
        seen.withLock { $0.append(context.peerCertificate ?? []) }
        return .init(text: request.text, data: request.data)
    }

    func `repeat`(
        _ request: TestV1.EchoRequest,
        to responses: ResponseWriter<TestV1.EchoResponse>,
        context: CallContext
    ) async throws {}

    func collect(
        _ requests: RequestStream<TestV1.EchoRequest>,
        context: CallContext
    ) async throws -> TestV1.EchoResponse { .init() }

    func converse(
        _ requests: RequestStream<TestV1.EchoRequest>,
        to responses: ResponseWriter<TestV1.EchoResponse>,
        context: CallContext
    ) async throws {}
}
