// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages
import Testing

/// Every byte arrives, in its place: small messages are copied on their way, large ones are not, and what a full socket
/// leaves goes another way.
struct PayloadTests {
    private static let sizes = [
        0, 1, 100, 4_095, 4_096, 8_191, 8_192, 16_384, 65_530, 65_531, 65_536, 70_000, 131_072, 300_000,
    ]

    /// Which message, and which of its bytes, every byte tells.
    private static func payload(_ number: Int) -> [UInt8] {
        let size = sizes[number % sizes.count]
        return (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ number) }
    }

    /// Far more than sockets and queues hold goes each way, as fast as it will.
    @Test func messagesOfEverySizeArriveWhole() async throws {
        let count = 20 * Self.sizes.count
        try await withEcho { client, _, _, _ in
            try await client.converse { requests, responses in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for number in 0..<count {
                            try await requests.write(.init(data: Self.payload(number)))
                        }
                        requests.finish()
                    }
                    var number = 0
                    while let response = try await responses.next() {
                        guard response.data == Self.payload(number) else {
                            throw RPCError(.dataLoss, "message \(number) of \(response.data.count) bytes")
                        }
                        number += 1
                    }
                    #expect(number == count)
                    try await group.waitForAll()
                }
            }
        }
    }

    /// The server fills the socket before the client reads at all; the frames of other calls come in between.
    @Test func callsBesideALargeAnswerAreServed() async throws {
        try await withEcho { client, _, _, _ in
            let data = Self.payload(Self.sizes.count - 1)
            let responses = try await client.repeat(.init(text: "x", data: data, count: 40))
            for number in 0..<200 {
                expect(try await client.say(.init(text: "\(number)")).text == "\(number)")
            }
            var count = 0
            for try await response in responses {
                guard response.data == data, response.count == count else {
                    throw RPCError(.dataLoss, "message \(count)")
                }
                count += 1
            }
            #expect(count == 40)
        }
    }
}
