// SPDX-License-Identifier: Apache-2.0
import Events
import Messages
import RPC
import Synchronization
import System
import TestMessages
import TestSupport
import Testing

/// Handlers on the event loop, which tell connections at once what others post.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct QuickHandlerTests {
    private static let quick: Set<String> = Set(
        ["Say", "Repeat", "Collect", "Converse"].map { "petrel.test.v1.Echo/" + $0 }
    )

    /// Calls another server before its own handler answers.
    private struct Relay: ServerInterceptor {
        let client: TestV1.EchoClient

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            _ = try await client.say(.init(text: "on the way"))
            try await client.converse { requests, responses in
                for number in 0..<3 as Range<UInt32> {
                    try await requests.write(.init(text: "\(number)"))
                    let answer = try await responses.next()
                    guard answer?.text == "\(number)" else { throw RPCError(.dataLoss, "\(number) is gone") }
                }
            }
            try await proceed()
        }
    }

    /// Callers on the loop and in the pool, of all kinds of calls, through two servers of this process.
    @Test func manyCallsGoThroughHandlersOnTheLoop() async throws {
        try await withEcho(quick: Self.quick) { inner, _, _, _ in
            let relay = Relay(client: inner)
            try await withEcho(named: "relay.sock", quick: Self.quick, interceptors: [relay]) {
                client,
                _,
                _,
                _ in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<100 as Range<UInt32> {
                        let executor: EventLoop? = number % 2 == 0 ? .shared : nil
                        group.addTask(executorPreference: executor) { try await call(client, number) }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    private func call(_ client: TestV1.EchoClient, _ number: UInt32) async throws {
        let options = CallOptions(timeout: .seconds(60))
        for round in 0..<3 {
            let request = TestV1.EchoRequest(text: "\(number)/\(round)", count: number)
            expect(try await client.say(request, options: options).text == request.text)
            var counts: [UInt32] = []
            for try await answer in try await client.repeat(request, options: options) {
                counts.append(answer.count)
            }
            #expect(counts == Array(0..<number))
            let collected = try await client.collect(options: options) { requests in
                for _ in 0..<5 { try await requests.write(.init(text: "x")) }
            }
            #expect(collected.text == "xxxxx")
            await expectFailure(.notFound) {
                try await client.say(.init(behaviour: "fail"), options: options)
            }
        }
    }

    /// Calls that come together share a task, as long as none has to wait.
    @Test func aHandlerThatWaitsHoldsUpNoneThatCameWithIt() async throws {
        try await withEcho(quick: Self.quick) { client, echo, _, _ in
            try await withThrowingTaskGroup(of: Void.self) { sleepers in
                // Started in one turn of the loop, so they are sent and read together.
                try await withThrowingTaskGroup(of: Void.self) { quick in
                    for number in 0..<20 {
                        sleepers.addTask(executorPreference: EventLoop.shared) {
                            _ = try? await client.say(.init(behaviour: "sleep"))
                        }
                        quick.addTask(executorPreference: EventLoop.shared) {
                            expect(try await client.say(.init(text: "\(number)")).text == "\(number)")
                        }
                    }
                    try await quick.waitForAll()
                }
                expect(try await eventually { echo.seen.withLock { $0.started == 40 } })
                #expect(echo.seen.withLock { $0.cancelled } == 0)
                sleepers.cancelAll()
            }
            expect(try await eventually { echo.seen.withLock { $0.cancelled == 20 } })
            expect(try await client.say(.init(text: "still there")).text == "still there")
        }
    }

    /// What a server holds of each call that it serves, as long as it does.
    private struct Register: ServerInterceptor {
        final class Entry: Sendable {
            private let call: Mutex<Weak>
            private struct Weak { weak var object: AnyObject? }

            init(_ context: CallContext) {
                call = Mutex(
                    Weak(object: Mirror(reflecting: context).children.first.map { $0.value as AnyObject })
                )
            }

            var isGone: Bool { call.withLock { $0.object == nil } }
        }

        final class List: Sendable { let entries = Mutex<[Entry]>([]) }

        let list = List()

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            list.entries.withLock { $0.append(Entry(context)) }
            try await proceed()
        }
    }

    /// One that waits keeps nothing of those that came with it.
    @Test func aCallIsForgottenThoughOneThatCameWithItWaits() async throws {
        let register = Register()
        try await withEcho(quick: Self.quick, interceptors: [register]) { client, echo, _, _ in
            let sleepers = Mutex<[Task<Void, Never>]>([])
            await Task(executorPreference: EventLoop.shared) {
                for number in 0..<20 {
                    let request = TestV1.EchoRequest(behaviour: number % 2 == 0 ? "" : "sleep")
                    let task = Task(executorPreference: EventLoop.shared) {
                        _ = try? await client.say(request)
                    }
                    sleepers.withLock { $0.append(task) }
                }
            }.value
            expect(try await eventually { echo.seen.withLock { $0.started == 20 } })
            let isForgotten = try await eventually {
                register.list.entries.withLock { $0.count { $0.isGone } } == 10
            }
            #expect(isForgotten)
            for sleeper in sleepers.withLock({ $0 }) { sleeper.cancel() }
            expect(try await eventually { register.list.entries.withLock { $0.allSatisfy(\.isGone) } })
        }
    }

    /// The end of one call cancels its own handler: not those that shared its task, or come after it.
    @Test func aCancelledHandlerTakesNoOtherWithIt() async throws {
        try await withEcho(quick: Self.quick) { client, echo, _, _ in
            let kept = Task(executorPreference: EventLoop.shared) {
                try await client.converse { requests, responses in
                    for number in 0..<50 as Range<UInt32> {
                        try await requests.write(.init(text: "\(number)"))
                        expect(try await responses.next()?.text == "\(number)")
                        let sleeper = Task(executorPreference: EventLoop.shared) {
                            try await client.say(.init(behaviour: "sleep"))
                        }
                        let expected = Int(number) + 1
                        expect(try await eventually { echo.seen.withLock { $0.started == 2 * expected } })
                        async let quick = client.say(.init(text: "quick"))
                        sleeper.cancel()
                        expect(try await quick.text == "quick")
                        expect(try await eventually { echo.seen.withLock { $0.cancelled == expected } })
                        await expectFailure(.cancelled) { try await sleeper.value }
                    }
                    requests.finish()
                }
            }
            try await kept.value
        }
    }

    /// Does something when the call is cancelled.
    private final class Farewell: ServerInterceptor {
        let isWaiting = Mutex(false)
        private let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }

        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            try await withTaskCancellationHandler {
                isWaiting.withLock { $0 = true }
                try await proceed()
            } onCancel: {
                body()
            }
        }
    }

    /// A connection ends in the middle of much else, and what its handler does about that concerns another connection.
    @Test func whatTheEndOfAConnectionCausesIsSent() async throws {
        try await withEcho { inner, _, _, path in
            let writer = Mutex<RequestWriter<TestV1.EchoRequest>?>(nil)
            let isOver = Mutex(false)
            let conversation = Task {
                try await inner.converse { requests, responses in
                    writer.withLock { $0 = requests }
                    while try await responses.next() != nil {}
                    isOver.withLock { $0 = true }
                }
            }
            expect(try await eventually { writer.withLock { $0 != nil } })
            let farewell = Farewell { writer.withLock { $0 }?.finish() }
            let server = makeServer(Echo(), interceptors: [farewell])
            let listener = try UnixSocket.listen(.stream, at: path + ".other").relinquish()
            let serving = Task { try await server.serve(listening: Descriptor(adopting: listener)) }
            let client = TestV1.EchoClient(channel: Channel(unixSocket: path + ".other"))
            let call = Task { try await client.say(.init(behaviour: "sleep")) }
            expect(try await eventually { farewell.isWaiting.withLock { $0 } })
            // All of it becomes ready in one turn of the loop.
            await Task(executorPreference: EventLoop.shared) {
                for _ in 0..<300 { Task(executorPreference: EventLoop.shared) {} }
                serving.cancel()
            }.value
            expect(try await eventually { isOver.withLock { $0 } })
            conversation.cancel()
            _ = await (conversation.result, call.result, serving.result)
        }
    }
}
