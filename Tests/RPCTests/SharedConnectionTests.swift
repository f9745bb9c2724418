// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Synchronization
import TestMessages
import Testing

/// What calls of one connection do to each other: nothing.
struct SharedConnectionTests {
    /// A call that is cancelled while its data is on the way must not break the stream of frames for the others.
    @Test func cancelledCallsHarmNoOther() async throws {
        try await withEcho { client, _, _, _ in
            let data = [UInt8](repeating: 7, count: 70_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        for _ in 0..<40 {
                            let call = Task {
                                try await client.collect { requests in
                                    while true { try await requests.write(.init(data: data)) }
                                }
                            }
                            try await Task.sleep(for: .microseconds(Int.random(in: 0..<3_000)))
                            call.cancel()
                            _ = try? await call.value
                        }
                    }
                    group.addTask {
                        for number in 0..<80 {
                            let request = TestV1.EchoRequest(data: data, count: UInt32(number))
                            expect(try await client.say(request).count == UInt32(number))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// A server holds a bounded part of what a client sends and its handlers do not read.
    @Test func unreadMessagesOfAllCallsAreBounded() async throws {
        try await withEcho { client, echo, _, _ in
            let sent = Total()
            let data = [UInt8](repeating: 7, count: 100_000)
            let count = 64
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        _ = await failure {
                            try await client.converse { requests, _ in
                                try await requests.write(.init(behaviour: "pause"))
                                while true {
                                    try await requests.write(.init(data: data))
                                    sent.bytes.withLock { $0 += data.count }
                                }
                            }
                        }
                    }
                }
                expect(try await eventually { echo.seen.withLock { $0.started } == count })
                // Until nothing moves any more.
                var before = -1
                while sent.bytes.withLock({ $0 }) != before {
                    before = sent.bytes.withLock { $0 }
                    try await Task.sleep(for: .milliseconds(300))
                }
                // The limit, the connection's window, and what the client itself queues for each call.
                #expect(before < (16 << 20) + (17 << 20) + count * 400_000)
                group.cancelAll()
                try await group.waitForAll()
            }
            // What the calls have left is given back.
            let large = [UInt8](repeating: 1, count: 1 << 20)
            for _ in 0..<40 { expect(try await client.say(.init(data: large)).data.count == large.count) }
        }
    }
}

private final class Total: Sendable {
    let bytes = Mutex(0)
}
