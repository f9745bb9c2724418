// SPDX-License-Identifier: Apache-2.0
import Logging
import RPC
import Synchronization
import TestMessages
import Testing

/// What stands around handlers: the chain, its metrics, the trace that a call belongs to.
@Suite(.timeLimit(.minutes(1)))
struct InterceptorTests {
    /// Writes down when it is passed, and may turn a call away.
    private final class Recorder: ServerInterceptor {
        private let name: String
        private let log: Log

        init(_ name: String, _ log: Log) {
            self.name = name
            self.log = log
        }

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            log.add("\(name) in")
            if context.metadata["refuse"] == name { throw RPCError(.permissionDenied, "not for you") }
            do { try await proceed() } catch {
                log.add("\(name) failed")
                throw error
            }
            log.add("\(name) out")
        }
    }

    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])

        func add(_ line: String) { lines.withLock { $0.append(line) } }

        func take() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    @Test func theFirstIsOutermost() async throws {
        let log = Log()
        try await withEcho(interceptors: [Recorder("a", log), Recorder("b", log)]) { client, echo, _, _ in
            _ = try await client.say(.init())
            #expect(log.take() == ["a in", "b in", "b out", "a out"])
            await expectFailure(.notFound) { try await client.say(.init(behaviour: "fail")) }
            #expect(log.take() == ["a in", "b in", "b failed", "a failed"])
            let refused = CallOptions(metadata: ["refuse": "b"])
            await expectFailure(.permissionDenied) { try await client.say(.init(), options: refused) }
            #expect(log.take() == ["a in", "b in", "a failed"])
            #expect(echo.seen.withLock { $0.started } == 2)
        }
    }

    @Test func callsAreCountedByMethodAndStatus() async throws {
        let metrics = CallMetrics()
        try await withEcho(observers: [metrics]) { client, _, _, _ in
            for _ in 0..<3 { _ = try await client.say(.init()) }
            await expectFailure(.notFound) { try await client.say(.init(behaviour: "fail")) }
            let say = "grpc_service=\"petrel.test.v1.Echo\",grpc_method=\"Say\""
            let lines = metrics.text().split(separator: "\n").map(String.init)
            for line in [
                "# TYPE grpc_server_handling_seconds histogram", "grpc_server_started_total{\(say)} 4",
                "grpc_server_handled_total{\(say),grpc_code=\"OK\"} 3",
                "grpc_server_handled_total{\(say),grpc_code=\"NOT_FOUND\"} 1",
                "grpc_server_handling_seconds_bucket{\(say),le=\"+Inf\"} 4",
                "grpc_server_handling_seconds_bucket{\(say),le=\"30.0\"} 4",
                "grpc_server_handling_seconds_count{\(say)} 4",
            ] {
                #expect(lines.contains(line), "\(line)")
            }
        }
    }

    /// A → B → C: all three are of one trace, each a span of its own.
    @Test func aTraceGoesOnThroughNestedCalls() async throws {
        try await withEcho { inner, _, _, socket in
            let relay = Relay(TestV1.EchoClient(channel: Channel(unixSocket: socket)))
            try await withEcho(named: "relay.sock", interceptors: [relay]) { client, _, _, _ in
                let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                _ = try await client.say(
                    .init(),
                    options: .init(metadata: ["traceparent": given, "tracestate": "vendor=1"])
                )
                let seen = try #require(relay.seen.withLock { $0 })
                #expect(seen.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") && seen.hasSuffix("-01"))
                #expect(seen != given)
                // Without one there is none.
                relay.seen.withLock { $0 = nil }
                _ = try await client.say(.init())
                #expect(relay.seen.withLock { $0 } == "")
            }
        }
    }

    /// Calls another server on the way, which answers with what was sent beside the call.
    private final class Relay: ServerInterceptor {
        let seen = Mutex<String?>(nil)
        private let client: TestV1.EchoClient

        init(_ client: TestV1.EchoClient) { self.client = client }

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            let answers = try await client.repeat(.init(count: 1, behaviour: "metadata"))
            let metadata = await answers.initialMetadata
            seen.withLock { $0 = metadata["traceparent"] ?? "" }
            try await proceed()
        }
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
    ])
    func whatIsNoTraceparentIsNone(_ text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    /// A version to come may have more at its end.
    @Test func laterVersionsAreRead() {
        let later = TraceContext(
            traceparent: "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"
        )
        #expect(later?.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    }
}
