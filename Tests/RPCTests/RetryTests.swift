// SPDX-License-Identifier: Apache-2.0
import RPC
import Synchronization
import TestMessages
import Testing

/// Calls that are sent again, and those that are not.
@Suite(.timeLimit(.minutes(1)))
struct RetryTests {
    /// Lets so many calls fail before it lets one through.
    private final class Obstacle: ServerInterceptor {
        struct State {
            var left: Int
            var seen = 0
        }

        let state: Mutex<State>
        private let code: StatusCode
        private let trailing: Metadata

        init(_ count: Int, _ code: StatusCode = .unavailable, trailing: Metadata = [:]) {
            state = Mutex(State(left: count))
            self.code = code
            self.trailing = trailing
        }

        var seen: Int { state.withLock { $0.seen } }

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            let fails = state.withLock { state in
                state.seen += 1
                state.left -= 1
                return state.left >= 0
            }
            guard fails else { return try await proceed() }
            context.setTrailingMetadata(trailing)
            throw RPCError(code, "in the way")
        }
    }

    private static let policy = RetryPolicy(
        maxAttempts: 3,
        initialBackoff: .milliseconds(1),
        maxBackoff: .milliseconds(5)
    )

    /// Calls `say` through a channel that retries, past the obstacle.
    private func attempt(
        past obstacle: Obstacle,
        policies: [String: RetryPolicy] = ["petrel.test.v1.Echo": policy],
        isIdempotent: Bool = true
    ) async throws -> (RPCError?, ChannelStatistics) {
        let result = Mutex<(RPCError?, ChannelStatistics)?>(nil)
        try await withEcho(interceptors: [obstacle]) { _, _, _, socket in
            let channel = Channel(to: .unixSocket(socket), config: ServiceConfig(retryPolicies: policies))
            let failure = await failure {
                let answer: TestV1.EchoResponse =
                    isIdempotent
                    // Its definition says so.
                    ? try await TestV1.EchoClient(channel: channel).say(.init(text: "x"))
                    : try await channel.unary(
                        "/petrel.test.v1.Echo/Say",
                        TestV1.EchoRequest(text: "x"),
                        CallOptions()
                    )
                #expect(answer.text == "x")
            }
            result.withLock { $0 = (failure, channel.statistics) }
            await channel.close()
        }
        return try #require(result.withLock { $0 })
    }

    @Test func anIdempotentCallIsSentAgain() async throws {
        let obstacle = Obstacle(2)
        let (failure, statistics) = try await attempt(past: obstacle)
        #expect(failure == nil && obstacle.seen == 3)
        #expect(statistics.callsStarted == 1 && statistics.callsSucceeded == 1 && statistics.retries == 2)
        #expect(statistics.connections == 1 && statistics.callsOpen == 0)
    }

    @Test func onlySoOften() async throws {
        let obstacle = Obstacle(9)
        let (failure, statistics) = try await attempt(past: obstacle)
        #expect(failure?.code == .unavailable && obstacle.seen == 3)
        #expect(statistics.callsFailed == 1)
    }

    @Test func othersAreNot() async throws {
        for (what, obstacle, policies, isIdempotent) in [
            ("not idempotent", Obstacle(1), ["": Self.policy], false), ("no policy", Obstacle(1), [:], true),
            ("of another service", Obstacle(1), ["petrel.test.v1.Other": Self.policy], true),
            ("another status", Obstacle(1, .internal), ["": Self.policy], true),
            (
                "the server says no", Obstacle(1, trailing: ["grpc-retry-pushback-ms": "no"]),
                ["": Self.policy], true
            ),
        ] {
            let (failure, _) = try await attempt(
                past: obstacle,
                policies: policies,
                isIdempotent: isIdempotent
            )
            #expect(failure != nil && obstacle.seen == 1, "\(what)")
        }
    }

    @Test func theServersWishIsRespected() async throws {
        let start = ContinuousClock.now
        let obstacle = Obstacle(1, trailing: ["grpc-retry-pushback-ms": "80"])
        let (failure, _) = try await attempt(past: obstacle)
        #expect(failure == nil && obstacle.seen == 2 && ContinuousClock.now - start >= .milliseconds(60))
    }

    /// When most calls fail, repeating them all would be what keeps a server down.
    @Test func retriesCeaseWhenMostCallsFail() async throws {
        let obstacle = Obstacle(.max)
        try await withEcho(interceptors: [obstacle]) { _, _, _, socket in
            let config = ServiceConfig(
                retryPolicies: ["": Self.policy],
                retryThrottling: .init(maxTokens: 10)
            )
            let channel = Channel(to: .unixSocket(socket), config: config)
            for _ in 0..<20 {
                await expectFailure(.unavailable) {
                    let _: TestV1.EchoResponse = try await channel.unary(
                        "/petrel.test.v1.Echo/Say",
                        TestV1.EchoRequest(),
                        CallOptions(),
                        isIdempotent: true
                    )
                }
            }
            #expect(channel.statistics.retries == 4 && obstacle.seen == 24)
            await channel.close()
        }
    }
}
