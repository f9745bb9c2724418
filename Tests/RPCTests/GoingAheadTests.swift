// SPDX-License-Identifier: Apache-2.0
import RPC
import Synchronization
import TestMessages
import Testing

/// A unary call over a Unix socket that waits for a server is sent before the server has spoken.
struct GoingAheadTests {
    /// The server that takes the `wanted` connection (counted from 0) answers without a word before the call has come;
    /// those before are gone as soon as it has.
    private func calling(
        answeredBy wanted: Int,
        _ body: @escaping @Sendable (TestV1.EchoClient) async throws -> Void
    ) async throws -> Int {
        let calls = Mutex(0)
        try await withRawServer { peer, number in
            guard try peer.readPreface() else { return }
            while let frame = try peer.next(), frame.kind != Frame.Kind.headers {}
            calls.withLock { $0 += 1 }
            guard number >= wanted else { return peer.close() }
            try peer.send(Frame.settings())
            try peer.send(Frame.settingsAck)
            try peer.answer(1)
            while try peer.next() != nil {}
        } _: { client in
            try await body(client)
        }
        return calls.withLock { $0 }
    }

    @Test func itIsAnsweredByAServerThatWaitsForIt() async throws {
        let calls = try await calling(answeredBy: 0) { client in
            _ = try await client.say(.init(), options: .init(timeout: .seconds(20), waitForReady: true))
        }
        #expect(calls == 1)
    }

    /// Nothing was done: it is sent again, whatever the call is.
    @Test func itIsSentAgainWhereTheServerGoesWithoutAWord() async throws {
        let calls = try await calling(answeredBy: 2) { client in
            _ = try await client.say(.init(), options: .init(timeout: .seconds(20), waitForReady: true))
        }
        #expect(calls == 3)
    }

    @Test func itFailsAtItsDeadlineWhereAllServersDo() async throws {
        let calls = try await calling(answeredBy: .max) { client in
            let options = CallOptions(timeout: .milliseconds(500), waitForReady: true)
            await expectFailure(.deadlineExceeded) { try await client.say(.init(), options: options) }
        }
        #expect(calls >= 1)
    }

    @Test func itsDeadlineHoldsBeforeTheFirstWord() async throws {
        try await withRawServer { peer, _ in
            while try peer.next() != nil {}
        } _: { client in
            await expectFailure(.deadlineExceeded) {
                let options = CallOptions(timeout: .milliseconds(200), waitForReady: true)
                return try await client.say(.init(), options: options)
            }
        }
    }
}
