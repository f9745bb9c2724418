// SPDX-License-Identifier: Apache-2.0
import RPC
import System
import Telemetry
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct MetricsEndpointTests {
    @Test func metricsAreServedAsText() async throws {
        try await withEndpoint { port in
            let answer = try await fetch("http://127.0.0.1:\(port)/metrics", "-i")
            #expect(answer.contains("200 OK") && answer.contains("text/plain; version=0.0.4"), "\(answer)")
            for name in [
                "grpc_server_started_total", "process_cpu_seconds_total ", "process_resident_memory_bytes ",
                "process_open_fds ",
            ] {
                #expect(answer.contains(name), "\(name): \(answer)")
            }
            let head = try await fetch("http://127.0.0.1:\(port)/metrics", "-I")
            #expect(head.contains("200 OK") && !head.contains("process_open_fds"), "\(head)")
        }
    }

    @Test func nothingElseIsServed() async throws {
        try await withEndpoint { port in
            let other = try await fetch("http://127.0.0.1:\(port)/", "-i")
            #expect(other.contains("404"), "\(other)")
            let posted = try await fetch("http://127.0.0.1:\(port)/metrics", "-i", "-d", "x=1")
            #expect(posted.contains("405") && posted.lowercased().contains("allow: get, head"), "\(posted)")
        }
    }

    /// A connection that says nothing is not what a daemon that ends leaves behind.
    @Test func connectionsEndWithTheEndpoint() async throws {
        try await withTemporaryDirectory { directory in
            let endpoint = try MetricsEndpoint(at: MetricsAddress("127.0.0.1:0"), CallMetrics())
            let port = endpoint.port
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await endpoint.run() }
                let silent = Task {
                    let script =
                        "exec 3<>/dev/tcp/127.0.0.1/\(port) && touch \(directory)/open && timeout 20 cat <&3"
                    return try await blocking { try run("bash", ["-c", script]).status }
                }
                try await blocking {
                    try eventually("a connection", holds: { Files.exists(directory + "/open") })
                }
                // They are accepted in turn.
                let answer = try await fetch("http://127.0.0.1:\(port)/metrics", "-i")
                #expect(answer.contains("200 OK"))
                group.cancelAll()
                try await group.waitForAll()
                let status = try await silent.value
                #expect(status == 0)
            }
        }
    }

    @Test func addressesAreChecked() throws {
        let six = try MetricsAddress("[::1]:9323")
        #expect(six.address == "::1" && six.port == 9323)
        #expect(try MetricsAddress("127.0.0.1:0").port == 0)
        for text in [
            "", "9323", "127.0.0.1", "localhost:9323", "127.0.0.1:70000", "127.0.0.1:", ":9323", "[::1]",
        ] {
            let failure = #expect(throws: MetricsAddress.Failure.self, "\(text)") { try MetricsAddress(text) }
            #expect(failure?.description.contains("127.0.0.1:9323") == true)
        }
    }

    private func fetch(_ arguments: String...) async throws -> String {
        try await blocking { try run("curl", ["-s", "-m", "10"] + arguments).stdout }
    }

    private func withEndpoint(_ body: @escaping @Sendable (UInt16) async throws -> Void) async throws {
        let endpoint = try MetricsEndpoint(at: MetricsAddress("127.0.0.1:0"), CallMetrics())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await endpoint.run() }
            group.addTask { try await body(endpoint.port) }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
