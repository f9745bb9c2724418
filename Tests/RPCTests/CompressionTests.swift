// SPDX-License-Identifier: Apache-2.0
import RPC
import System
import TestMessages
import TestSupport
import Testing

/// gzip, per call and per message.
@Suite(.timeLimit(.minutes(1)))
struct CompressionTests {
    @Test func aCompressedRequestIsRead() async throws {
        try await withEcho { client, _, _, _ in
            let text = String(repeating: "abc ", count: 1000)
            for compression in [nil, Compression.gzip] {
                let request = TestV1.EchoRequest(text: text, behaviour: "compressed")
                let answer = try await client.say(request, options: .init(compression: compression))
                // The answer tells how the request came.
                #expect(answer.text == text && answer.count == (compression == nil ? 0 : 1))
            }
        }
    }

    @Test func eachMessageOfACallSaysWhetherItIsCompressed() async throws {
        try await withEcho { client, _, _, _ in
            let seen = try await client.converse(options: .init(compression: .gzip)) { requests, answers in
                var seen: [[UInt32]] = []
                for compressed in [true, false, true] {
                    let data = [UInt8](repeating: 7, count: 5000)
                    try await requests.write(
                        .init(data: data, behaviour: "compressed"),
                        compressed: compressed
                    )
                    let answer = try #require(await answers.next())
                    #expect(answer.data == data)
                    seen.append([answer.count, answers.receivedCompressed ? 1 : 0])
                }
                return seen
            }
            #expect(seen == [[1, 1], [0, 0], [1, 1]])
        }
    }

    /// It costs more than it saves between two processes of a machine, so there it is to be asked for.
    @Test func answersAreCompressedForWhomItSaves() async throws {
        try await withEcho { client, _, server, _ in
            for (options, expected) in [
                (CallOptions(), false), (.init(asksForCompression: true), true),
                (.init(compression: .gzip), true),
            ] {
                #expect(try await Self.isAnswerCompressed(client, options) == expected, "\(options)")
            }
            let listener = try InternetSocket.listen(on: "127.0.0.1", port: 0)
            let port = Int(try InternetSocket.port(of: listener.raw))
            let raw = listener.relinquish()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve(listening: Descriptor(adopting: raw)) }
                let channel = Channel(to: .tcp(host: "127.0.0.1", port: port))
                let remote = TestV1.EchoClient(channel: channel)
                #expect(try await Self.isAnswerCompressed(remote, CallOptions()))
                await channel.close()
                server.gracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    private static func isAnswerCompressed(
        _ client: TestV1.EchoClient,
        _ options: CallOptions
    ) async throws -> Bool {
        try await client.converse(options: options) { requests, answers in
            let data = [UInt8](repeating: 7, count: 5000)
            try await requests.write(.init(data: data, behaviour: "compress"))
            let answer = try #require(await answers.next())
            #expect(answer.data == data)
            return answers.receivedCompressed
        }
    }

    /// The answer's headers name the encoding, and they leave with the first response.
    @Test func compressionCannotBeginLater() async throws {
        try await withEcho { client, _, _, _ in
            let data = [UInt8](repeating: 7, count: 5000)
            let error = await failure {
                try await client.converse(options: .init(asksForCompression: true)) { requests, answers in
                    try await requests.write(.init(data: data))
                    expect(try await answers.next()?.data == data)
                    try await requests.write(.init(data: data, behaviour: "compress"))
                    expect(try await answers.next()?.data == data)
                }
            }
            #expect(error?.code == .internal && error?.message.contains("before the first response") == true)
        }
    }

    /// Once it is named, it can end and begin again.
    @Test func compressionCanPause() async throws {
        try await withEcho { client, _, _, _ in
            let data = [UInt8](repeating: 7, count: 5000)
            let seen = try await client.converse(options: .init(asksForCompression: true)) {
                requests,
                answers in
                var seen: [Bool] = []
                for behaviour in ["compress once", "", "compress", "", "plain", "", "compress"] {
                    try await requests.write(.init(data: data, behaviour: behaviour))
                    expect(try await answers.next()?.data == data)
                    seen.append(answers.receivedCompressed)
                }
                return seen
            }
            #expect(seen == [true, false, true, true, false, false, true])
        }
    }

    /// A few kilobytes that would be gigabytes: no more than the limit is ever made of them.
    @Test func whatGrowsBeyondTheLimitIsRefused() async throws {
        try await withEcho(messageLimit: 64 << 10) { client, _, _, socket in
            let large = Channel(unixSocket: socket)
            let bomb = TestV1.EchoRequest(data: [UInt8](repeating: 0, count: 4_000_000))
            await expectFailure(.resourceExhausted) {
                try await TestV1.EchoClient(channel: large).say(bomb, options: .init(compression: .gzip))
            }
            // The connection goes on.
            let answer = try await client.say(.init(text: "still here"))
            #expect(answer.text == "still here")
            await large.close()
        }
    }
}
