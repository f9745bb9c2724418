// SPDX-License-Identifier: Apache-2.0
import RPC
import Synchronization
import TestMessages
import Testing

/// A unary call over a Unix socket is sent before the server has spoken.
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
            _ = try await client.say(.init(), options: .init(timeout: .seconds(20)))
        }
        #expect(calls == 1)
    }

    /// Nothing was done: it is sent again, whatever the call is.
    @Test(arguments: [false, true])
    func itIsSentAgainWhereTheServerGoesWithoutAWord(_ waits: Bool) async throws {
        let calls = try await calling(answeredBy: 2) { client in
            let options = CallOptions(timeout: .seconds(20), waitForReady: waits)
            _ = try await client.say(.init(), options: options)
        }
        #expect(calls == 3)
    }

    @Test func itFailsWhereAllServersDo() async throws {
        let calls = try await calling(answeredBy: .max) { client in
            await expectFailure(.unavailable) { try await client.say(.init()) }
        }
        #expect(calls == 3)
    }

    @Test func itsDeadlineHoldsBeforeTheFirstWord() async throws {
        try await withRawServer { peer, _ in
            while try peer.next() != nil {}
        } _: { client in
            await expectFailure(.deadlineExceeded) {
                try await client.say(.init(), options: .init(timeout: .milliseconds(200)))
            }
        }
    }
}
