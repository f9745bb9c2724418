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
            #expect(channel.statistics.retries == 3 && obstacle.seen == 23)
            await channel.close()
        }
    }

    /// Calls that fail though they are not sent again say as much of the server as those that are.
    @Test(
        arguments: [
            ("the last attempt", 1, StatusCode.unavailable, nil, true),
            ("what may not be repeated", 3, .unavailable, nil, false),
            ("what the server does not want again", 3, .unavailable, "no", true),
            ("the same with another status", 3, .internal, "-1", true),
        ] as [(String, Int, StatusCode, String?, Bool)]
    )
    func failuresCountThoughNothingIsSentAgain(
        _ what: String,
        _ maxAttempts: Int,
        _ code: StatusCode,
        _ pushback: String?,
        _ isIdempotent: Bool
    ) async throws {
        let failing = Obstacle(6, code, trailing: pushback.map { ["grpc-retry-pushback-ms": $0] } ?? [:])
        let next = Obstacle(.max)
        try await withEcho(interceptors: [failing, next]) { _, _, _, socket in
            let config = ServiceConfig(
                retryPolicies: [
                    "petrel.test.v1.Echo/Say": .init(maxAttempts: maxAttempts),
                    "petrel.test.v1.Echo": Self.policy,
                ],
                retryThrottling: .init(maxTokens: 10)
            )
            let channel = Channel(to: .unixSocket(socket), config: config)
            for number in 0..<7 {
                // The last would be sent again, were it the first.
                let isLast = number == 6
                await expectFailure(isLast ? .unavailable : code) {
                    let _: TestV1.EchoResponse = try await channel.unary(
                        isLast ? "/petrel.test.v1.Echo/Repeat" : "/petrel.test.v1.Echo/Say",
                        TestV1.EchoRequest(),
                        CallOptions(),
                        isIdempotent: isIdempotent || isLast
                    )
                }
            }
            #expect(channel.statistics.retries == 0, "\(what)")
            await channel.close()
        }
    }

    /// An answer that has begun may have been seen; only one that consists of its status alone has not.
    @Test(arguments: [(true, 1), (false, 2)])
    func anAnswerThatHasBegunIsTheLast(hasBegun: Bool, calls: Int) async throws {
        let seen = Mutex(0)
        let failure = Field("grpc-status", "14")
        let answer =
            hasBegun
            ? [Frame.headers(Field.answer), .headers([failure], flags: 5)]
            : [.headers(Field.answer + [failure], flags: 5)]
        try await withRawChannel(config: ServiceConfig(retryPolicies: ["": Self.policy])) { peer, _ in
            try peer.greet()
            seen.withLock { $0 += 1 }
            for frame in answer { try peer.send(frame) }
            while let frame = try peer.next() {
                guard frame.kind == Frame.Kind.headers else { continue }
                seen.withLock { $0 += 1 }
                try peer.send(Answer.good(on: frame.stream))
            }
        } _: { channel in
            let error = await RPCTests.failure {
                try await TestV1.EchoClient(channel: channel).say(
                    .init(),
                    options: .init(timeout: .seconds(60))
                )
            }
            #expect(error?.code == (hasBegun ? .unavailable : nil))
        }
        #expect(seen.withLock { $0 } == calls)
    }
}
