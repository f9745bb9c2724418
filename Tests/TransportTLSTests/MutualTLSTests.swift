// SPDX-License-Identifier: Apache-2.0
import Logging
import RPC
import System
import TestMessages
import TestSupport
import Testing
@testable import TransportTLS

/// TLS 1.3 with certificates at both ends, over TCP on loopback, and who is turned away.
@Suite(.timeLimit(.minutes(2)))
struct MutualTLSTests {
    @Test(arguments: ["127.0.0.1", "localhost", "::1"])
    func bothEndsKnowEachOther(host: String) async throws {
        try await withServer(on: host == "::1" ? "::1" : "127.0.0.1") { authority, address, service in
            let security = try authority.client("alice", of: host)
            let channel = Channel(to: .tcp(host: host, port: address), security: security)
            let client = TestV1.EchoClient(channel: channel)
            let answer = try await client.say(
                .init(text: "hello", data: [UInt8](repeating: 3, count: 1 << 20))
            )
            #expect(answer.text == "hello" && answer.data.count == 1 << 20)
            // What the handler saw is the client's own certificate.
            let der = try await authority.der("alice")
            #expect(service.certificates() == [der])
            await channel.close()
        }
    }

    @Test func strangersAreTurnedAway() async throws {
        try await withServer(on: "127.0.0.1") { authority, port, service in
            let stranger = try await Authority(in: authority.directory + "/other")
            try await stranger.issue("mallory", names: "IP:127.0.0.1")
            let place = ServerAddress.tcp(host: "127.0.0.1", port: port)
            let attempts: [(String, (any TransportSecurity)?)] = [
                ("no TLS", nil),
                (
                    "a certificate of somebody else",
                    try authority.client(from: stranger, "mallory", of: "127.0.0.1")
                ),
                ("a server that somebody else vouches for", try stranger.client("mallory", of: "127.0.0.1")),
                ("a server of another name", try authority.client("alice", of: "example.org")),
            ]
            for (what, security) in attempts {
                let channel = Channel(to: place, security: security)
                await #expect(throws: RPCError.self, "\(what)") {
                    try await TestV1.EchoClient(channel: channel).say(
                        .init(),
                        options: .init(timeout: .seconds(10))
                    )
                }
                await channel.close()
            }
            #expect(service.certificates().isEmpty)
        }
    }

    /// A server that speaks TLS 1.2 at most, or another protocol, is none of ours.
    @Test(arguments: [["-tls1_2", "-alpn", "h2"], ["-tls1_3", "-alpn", "http/1.1"], ["-tls1_3"]])
    func otherProtocolsAreRefused(options: [String]) async throws {
        try await withTemporaryDirectory { directory in
            let authority = try await Authority(in: directory)
            try await authority.issue("server", names: "IP:127.0.0.1")
            try await authority.issue("alice", names: "IP:127.0.0.1")
            let probe = try InternetSocket.listen(on: "127.0.0.1", port: 0)
            let port = try InternetSocket.port(of: probe.raw)
            try probe.close()
            let server = try ChildProcess(
                "/usr/bin/openssl",
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", directory + "/server.pem",
                    "-key", directory + "/server.key", "-quiet",
                ] + options,
                stdin: .pipe
            )
            defer {
                server.kill()
                _ = try? server.finish(within: 10)
            }
            let channel = Channel(
                to: .tcp(host: "127.0.0.1", port: Int(port)),
                security: try authority.client("alice", of: "127.0.0.1")
            )
            var failure: RPCError?
            // It takes a moment to listen.
            for _ in 0..<100 {
                do { _ = try await TestV1.EchoClient(channel: channel).say(.init()) } catch let error
                    as RPCError
                {
                    failure = error
                }
                guard failure?.message.contains("refused") == true else { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(
                failure?.code == .unavailable && failure?.message.contains("refused") == false,
                "\(failure as Any)"
            )
            await channel.close()
        }
    }

    @Test(arguments: [
        ("a.example", "a.example", true), ("A.Example", "a.example", true), ("a.example", "a.example.", true),
        ("*.b.example", "a.b.example", true), ("*.b.example", "a.a.b.example", false),
        ("*.b.example", "b.example", false),
        ("*.example", "a.example", false), ("a*.b.example", "ab.b.example", false),
        ("b.example", "a.b.example", false),
        ("", "", false), ("a..example", "a..example", false),
    ])
    func namesAreCompared(pattern: String, name: String, isMatch: Bool) {
        #expect(ServerName.matches(Array(pattern.utf8), Array(name.utf8)) == isMatch)
    }

    /// Those that were ended, and those whose connection was lost.
    @Test(arguments: [true, false])
    func sessionsLeaveNothingBehind(ends: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let authority = try await Authority(in: directory)
            try await authority.issue("server", names: "IP:127.0.0.1")
            try await authority.issue("alice", names: "DNS:alice")
            let client = try authority.client("alice", of: "127.0.0.1")
            let server = try MutualTLS.server(
                certificate: directory + "/server.pem",
                key: directory + "/server.key",
                roots: directory + "/root.pem"
            )
            try await blocking {
                // The library's channel holds its handlers, and they hold it.
                let channels = try MutualTLSTests.agree(client, server, ends: ends)
                #expect(channels.allSatisfy { $0.object == nil })
            }
        }
    }

    private struct Weak {
        weak var object: AnyObject?
    }

    /// - Returns: What the two sessions had, which are gone.
    private static func agree(_ client: MutualTLS, _ server: MutualTLS, ends: Bool) throws -> [Weak] {
        let sessions = [
            try client.makeSession(with: "127.0.0.1"), try server.makeSession(with: "127.0.0.1"),
        ]
        for session in sessions { try session.begin() }
        var hasMoved = true
        while hasMoved {
            hasMoved = false
            for (sender, receiver) in [(sessions[0], sessions[1]), (sessions[1], sessions[0])] {
                while let bytes = try sender.nextOutput() {
                    try bytes.withUnsafeBytes { try receiver.receive($0) }
                    hasMoved = true
                }
            }
        }
        for session in sessions {
            #expect(session.agreement?.protocolName == "h2")
            if ends { session.end() }
        }
        return try sessions.map { Weak(object: try #require($0 as? TLSSession).channel) }
    }

    @Test func badFilesAreNamed() async throws {
        try await withTemporaryDirectory { directory in
            let authority = try await Authority(in: directory)
            try await authority.issue("server", names: "IP:127.0.0.1")
            let (good, key, roots) = (
                directory + "/server.pem", directory + "/server.key", directory + "/root.pem"
            )
            for (certificate, key, roots, word) in [
                (directory + "/none.pem", key, roots, "none.pem"), (good, good, roots, "server.pem"),
                (good, key, key, "server.key"), (good, directory + "/root.key", roots, "fit together"),
            ] {
                let failure = #expect(throws: MutualTLS.Failure.self) {
                    try MutualTLS.server(certificate: certificate, key: key, roots: roots)
                }
                #expect(failure?.description.contains(word) == true, "\(failure as Any)")
            }
        }
    }

    private func withServer(
        on address: String,
        _ body: @escaping @Sendable (Authority, Int, Whoami) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let authority = try await Authority(in: directory)
            try await authority.issue("server", names: "DNS:localhost,IP:127.0.0.1,IP:::1")
            try await authority.issue("alice", names: "DNS:alice")
            let security = try MutualTLS.server(
                certificate: directory + "/server.pem",
                key: directory + "/server.key",
                roots: directory + "/root.pem"
            )
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let service = Whoami()
            let server = RPCServer(services: [service], logger: logger)
            let listener = try InternetSocket.listen(on: address, port: 0)
            let port = Int(try InternetSocket.port(of: listener.raw))
            let raw = listener.relinquish()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await server.serve(listening: Descriptor(adopting: raw), security: security)
                }
                do { try await body(authority, port, service) } catch {
                    group.cancelAll()
                    throw error
                }
                server.gracefulShutdown()
                try await group.waitForAll()
            }
        }
    }
}
