// SPDX-License-Identifier: Apache-2.0
import Events
import Messages
import RPC
import Synchronization
import System
import TestMessages
import Testing

/// Deadlines, cancellation, back-pressure.
struct EndingTests {
    @Test func deadlinesEndTheCallOnBothSides() async throws {
        try await withEcho { client, echo, _, _ in
            // The connection is made before the clock starts.
            _ = try await client.say(.init())
            var timeout = Duration.milliseconds(250)
            // On a machine so busy that the time is up before the call has arrived, a longer one is tried.
            while echo.seen.withLock({ $0.deadline }) == nil, timeout < .seconds(60) {
                timeout *= 2
                let options = CallOptions(timeout: timeout)
                let error = await failure {
                    try await client.say(.init(behaviour: "sleep"), options: options)
                }
                #expect(error?.code == .deadlineExceeded)
            }
            expect(try await eventually { echo.seen.withLock { $0.cancelled } >= 1 })
            let deadline = try #require(echo.seen.withLock { $0.deadline })
            #expect(deadline <= timeout)
        }
    }

    @Test func aPassedDeadlineFailsAtOnce() async throws {
        try await withEcho { client, _, _, _ in
            let options = CallOptions(timeout: .zero)
            await expectFailure(.deadlineExceeded) { try await client.say(.init(), options: options) }
        }
    }

    @Test func cancellingTheTaskReachesTheHandler() async throws {
        try await withEcho { client, echo, _, _ in
            try await withThrowingTaskGroup(of: RPCError?.self) { group in
                group.addTask { await failure { try await client.say(.init(behaviour: "sleep")) } }
                expect(try await eventually { echo.seen.withLock { $0.started } == 1 })
                group.cancelAll()
                expect(try await group.next()??.code == .cancelled)
            }
            expect(try await eventually { echo.seen.withLock { $0.cancelled } == 1 })
        }
    }

    /// A young call asks to be told of it only later; one whose task is cancelled before it begins ends at once.
    @Test(arguments: [0, 1, 3, 10, 12, 18, 22, 40], [true, false])
    func aCallOfAnyAgeNoticesThatItsTaskIsCancelled(millis: Int, isOnLoop: Bool) async throws {
        try await withEcho { client, _, _, _ in
            // There is a connection, and calls beside it that last.
            _ = try await client.say(.init())
            let other = Task { try await client.say(.init(behaviour: "sleep")) }
            for _ in 0..<5 {
                let call = Task(executorPreference: isOnLoop ? EventLoop.shared : nil) {
                    await failure { try await client.say(.init(behaviour: "sleep")) }
                }
                if millis > 0 { try await Task.sleep(for: .milliseconds(millis)) }
                call.cancel()
                expect(await call.value?.code == .cancelled)
            }
            other.cancel()
            _ = await other.result
        }
    }

    /// Answers nothing until it is cancelled.
    private struct Silence: ServerInterceptor {
        func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
            try await Task.sleep(for: .seconds(60))
        }
    }

    /// It begins to wait when its connection has looked after young calls already.
    @Test(arguments: [true, false])
    func aCallThatWaitsLateNoticesThatItsTaskIsCancelled(isOnLoop: Bool) async throws {
        try await withEcho(interceptors: [Silence()]) { client, _, _, _ in
            let isWritten = Mutex(false)
            let call = Task(executorPreference: isOnLoop ? EventLoop.shared : nil) {
                try await client.collect { requests in
                    try await requests.write(.init(text: "x"))
                    try await Task.sleep(for: .milliseconds(50))
                    isWritten.withLock { $0 = true }
                }
            }
            expect(try await eventually { isWritten.withLock { $0 } })
            try await Task.sleep(for: .milliseconds(100))
            call.cancel()
            await expectFailure(.cancelled) { try await call.value }
        }
    }

    @Test func droppingAResponseStreamReachesTheHandler() async throws {
        try await withEcho { client, echo, _, _ in
            for try await _ in try await client.repeat(.init(count: 2, behaviour: "wait")) { break }
            expect(try await eventually { echo.seen.withLock { $0.cancelled } == 1 })
        }
    }

    @Test func leavingAConversationReachesTheHandler() async throws {
        try await withEcho { client, echo, _, _ in
            try await client.converse { requests, responses in
                try await requests.write(.init(text: "one"))
                expect(try await responses.next()?.text == "one")
            }
            expect(try await eventually { echo.seen.withLock { $0.cancelled } == 1 })
        }
    }

    @Test func aSlowReaderSlowsTheServer() async throws {
        try await withEcho { client, echo, _, _ in
            let size = 100_000
            let responses = try await client.repeat(
                .init(data: [UInt8](repeating: 1, count: size), count: 1000)
            )
            _ = try await responses.next()
            // The server stops: nothing is written while nothing is read.
            var before = -1
            var now = echo.seen.withLock { $0.written }
            while before != now {
                before = now
                try await Task.sleep(for: .milliseconds(200))
                now = echo.seen.withLock { $0.written }
            }
            // The stream's window, what the writer may queue, and what sockets hold.
            #expect(now * size < 4 << 20)
            var rest = 1
            while try await responses.next() != nil { rest += 1 }
            #expect(rest == 1000)
        }
    }

    @Test func aSlowServerSlowsTheWriter() async throws {
        try await withEcho { client, _, _, _ in
            let written = Mutex(0)
            let size = 100_000
            let error = await failure {
                try await client.converse(options: .init(timeout: .seconds(1))) { requests, _ in
                    try await requests.write(.init(behaviour: "pause"))
                    for _ in 0..<1000 {
                        try await requests.write(.init(data: [UInt8](repeating: 1, count: size)))
                        written.withLock { $0 += 1 }
                    }
                }
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(written.withLock { $0 } * size < 4 << 20)
        }
    }

    @Test func aStalledCallDoesNotStallOthers() async throws {
        try await withEcho { client, _, _, _ in
            var stalled: [ResponseStream<TestV1.EchoResponse>] = []
            for _ in 0..<8 {
                let data = [UInt8](repeating: 1, count: 100_000)
                stalled.append(try await client.repeat(.init(data: data, count: 1000)))
            }
            for number in 0..<100 {
                expect(try await client.say(.init(count: UInt32(number))).count == UInt32(number))
            }
            for responses in stalled { responses.cancel() }
        }
    }

    @Test func thousandsOfCancelledCallsDoNotEndTheConnection() async throws {
        try await withEcho { client, _, _, _ in
            for _ in 0..<3000 {
                let responses = try await client.repeat(.init(count: 1, behaviour: "wait"))
                responses.cancel()
            }
            expect(try await client.say(.init(text: "still there")).text == "still there")
        }
    }
}
