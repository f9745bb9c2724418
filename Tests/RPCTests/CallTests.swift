// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Synchronization
import System
import TestMessages
import Testing

/// A real client against a real server over a Unix socket.
struct CallTests {
    // MARK: - The four kinds

    @Test func unaryCallsAreAnswered() async throws {
        try await withEcho { client, _, _, _ in
            let response = try await client.say(.init(text: "grüße", data: [0, 1, 255], count: 7))
            #expect(response == .init(text: "grüße", data: [0, 1, 255], count: 7))
        }
    }

    @Test func serverStreamsArriveInOrder() async throws {
        try await withEcho { client, _, _, _ in
            var numbers: [UInt32] = []
            for try await response in try await client.repeat(.init(text: "x", count: 5000)) {
                numbers.append(response.count)
            }
            #expect(numbers == Array(0..<5000))
            var none = 0
            for try await _ in try await client.repeat(.init(count: 0)) { none += 1 }
            #expect(none == 0)
        }
    }

    @Test func clientStreamsAreCollected() async throws {
        try await withEcho { client, _, _, _ in
            let response = try await client.collect { requests in
                for size in [27182, 8, 1828, 45904] {
                    try await requests.write(.init(data: [UInt8](repeating: 0, count: size)))
                }
            }
            #expect(response.count == 74922)
            expect(try await client.collect { _ in } == .init())
        }
    }

    @Test func bothSidesCanStreamInTurn() async throws {
        try await withEcho { client, _, _, _ in
            let answers = try await client.converse { requests, responses in
                var answers: [String] = []
                for number in 0..<100 {
                    try await requests.write(.init(text: "\(number)"))
                    answers.append(try await responses.next()?.text ?? "")
                }
                requests.finish()
                expect(try await responses.next() == nil)
                return answers
            }
            #expect(answers == (0..<100).map { "\($0)" })
        }
    }

    @Test func aServerMayAnswerBeforeItHasReadEverything() async throws {
        try await withEcho { client, _, _, _ in
            let response = try await client.collect { requests in
                try await requests.write(.init(text: "first"))
                try await requests.write(.init(behaviour: "enough"))
                while true { try await requests.write(.init(data: [UInt8](repeating: 1, count: 100_000))) }
            }
            #expect(response.text == "first")
            let error = await failure {
                try await client.collect { try await $0.write(.init(behaviour: "fail")) }
            }
            #expect(error?.code == .outOfRange)
        }
    }

    @Test func aThousandCallsRunAtOnce() async throws {
        try await withEcho { client, _, _, _ in
            let sum = try await withThrowingTaskGroup(of: UInt32.self) { group in
                for number in 0..<1000 {
                    group.addTask { try await client.say(.init(count: UInt32(number))).count }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 499_500)
        }
    }

    // MARK: - What travels beside the messages

    @Test func errorsKeepTheirDetails() async throws {
        try await withEcho { client, _, _, _ in
            let text = "no thing: 100 % é\n"
            let failed = await failure { try await client.say(.init(text: text, behaviour: "fail")) }
            let error = try #require(failed)
            #expect(error.code == .notFound)
            #expect(error.message == text)
            let detail = CommonV1.ErrorDetail(
                reason: "thing_not_found",
                subject: "thing",
                errno: 2,
                advice: "look"
            )
            #expect(error.detail == detail)
            #expect(error.details.first?.typeUrl == "type.googleapis.com/petrel.common.v1.ErrorDetail")
        }
    }

    @Test func otherErrorsAreInternal() async throws {
        try await withEcho { client, _, _, _ in
            let error = await failure { try await client.say(.init(behaviour: "break")) }
            #expect(error?.code == .internal)
            #expect(error?.message == "broken inside")
        }
    }

    @Test func messagesBeforeAnErrorArrive() async throws {
        try await withEcho { client, _, _, _ in
            let received = Mutex(0)
            let error = await failure {
                for try await _ in try await client.repeat(.init(count: 3, behaviour: "fail")) {
                    received.withLock { $0 += 1 }
                }
            }
            #expect(error == RPCError(.aborted, "after 3"))
            #expect(received.withLock { $0 } == 3)
        }
    }

    @Test func metadataTravelsBothWays() async throws {
        try await withEcho { client, _, _, _ in
            var metadata: Metadata = ["echo": "text value"]
            metadata.add([0, 1, 254, 255], for: "echo-bin")
            let responses = try await client.repeat(
                .init(count: 1, behaviour: "metadata"),
                options: .init(metadata: metadata)
            )
            expect(await responses.initialMetadata["echo"] == "text value")
            while try await responses.next() != nil {}
            #expect(responses.trailingMetadata.bytes("echo-bin") == [0, 1, 254, 255])
        }
    }

    @Test func severalValuesOfANameKeepTheirOrder() async throws {
        try await withEcho { client, _, _, _ in
            var metadata: Metadata = [:]
            for value in ["one", "two", "three"] { metadata.add(value, for: "echo") }
            for value in 1...3 as ClosedRange<UInt8> { metadata.add([value, 0xff], for: "echo-bin") }
            let responses = try await client.repeat(
                .init(count: 1, behaviour: "metadata"),
                options: .init(metadata: metadata)
            )
            while try await responses.next() != nil {}
            for received in [await responses.initialMetadata, responses.trailingMetadata] {
                let echoed = received.entries.filter { $0.name.hasPrefix("echo") }
                #expect(echoed.map(\.value) == metadata.entries.map(\.value))
            }
        }
    }

    /// HTTP/2 has no values that begin or end with a space: gRPC allows to leave them out.
    @Test(arguments: [" text ", "\u{20}", "text"])
    func spacesAroundAValueHarmNobody(text: String) async throws {
        try await withEcho { client, _, _, _ in
            let responses = try await client.repeat(
                .init(count: 1, behaviour: "metadata"),
                options: .init(metadata: ["echo": text])
            )
            expect(await responses.initialMetadata["echo"] == (text == " " ? "" : "text"))
            while try await responses.next() != nil {}
            let error = await failure { try await client.say(.init(text: text, behaviour: "fail")) }
            #expect(error?.code == .notFound && error?.message == text)
        }
    }

    @Test func handlersKnowTheirPeer() async throws {
        try await withEcho { client, _, _, _ in
            let parts = try await client.say(.init(behaviour: "peer")).text.split(separator: " ")
            #expect(parts.count == 2)
            #expect(parts.last.flatMap { Int32($0) } ?? 0 > 0)
        }
    }

    @Test func socketPathsMayBeLong() async throws {
        let name = String(repeating: "a", count: 60) + "/" + String(repeating: "b", count: 100) + "/echo.sock"
        try await withEcho(named: name) { client, _, _, _ in
            expect(try await client.say(.init(text: "far")).text == "far")
        }
    }

    // MARK: - Limits

    @Test func largeMessagesPassAndTooLargeOnesDoNot() async throws {
        try await withEcho { client, echo, _, _ in
            let large = [UInt8](repeating: 7, count: (4 << 20) - 64)
            expect(try await client.say(.init(data: large)).data.count == large.count)
            let started = echo.seen.withLock { $0.started }
            let tooLarge = [UInt8](repeating: 7, count: (4 << 20) + 1)
            await expectFailure(.resourceExhausted) { try await client.say(.init(data: tooLarge)) }
            let error = await failure {
                try await client.collect { try await $0.write(.init(data: tooLarge)) }
            }
            #expect(error?.code == .resourceExhausted)
            #expect(echo.seen.withLock { $0.started } == started)
            expect(try await client.say(.init(text: "still there")).text == "still there")
        }
    }

    @Test func unknownMethodsAreUnimplemented() async throws {
        try await withEcho { _, _, _, path in
            let channel = Channel(unixSocket: path)
            let error = await failure {
                let response: TestV1.EchoResponse = try await channel.unary(
                    "/petrel.test.v1.Echo/Nothing",
                    TestV1.EchoRequest(),
                    CallOptions()
                )
                return response
            }
            #expect(error?.code == .unimplemented)
            await channel.close()
        }
    }

    @Test func tooMuchMetadataIsRefused() async throws {
        try await withEcho { client, _, _, _ in
            let options = CallOptions(metadata: ["x": String(repeating: "y", count: 40 << 10)])
            await expectFailure(.resourceExhausted) { try await client.say(.init(), options: options) }
            expect(try await client.say(.init(text: "still there")).text == "still there")
        }
    }
}
