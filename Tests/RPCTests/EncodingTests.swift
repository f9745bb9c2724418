// SPDX-License-Identifier: Apache-2.0
import Testing

import RPC

struct EncodingTests {
    @Test(arguments: [
        ("plain", "plain"), ("100 %", "100 %25"), ("é", "%C3%A9"), ("a\nb", "a%0Ab"), ("", ""),
        (" between spaces ", "%20between spaces%20"), (" ", "%20"),
    ])
    func messagesArePercentEncoded(text: String, encoded: String) {
        #expect(StatusEncoding.encode(message: text) == Array(encoded.utf8))
        #expect(StatusEncoding.decode(message: Array(encoded.utf8)) == text)
    }

    @Test(arguments: [("%", "%"), ("%zz", "%zz"), ("%4", "%4"), ("%c3%a9", "é")])
    func brokenEscapesAreKept(encoded: String, text: String) {
        #expect(StatusEncoding.decode(message: Array(encoded.utf8)) == text)
    }

    @Test(arguments: [
        (Duration.nanoseconds(1), "1n"), (.milliseconds(1), "1000000n"), (.seconds(1), "1000000u"),
        (.seconds(1000), "1000000m"), (.seconds(100_000_000), "27778H"), (.zero, "1n"), (.seconds(-1), "1n"),
        (.seconds(86400 * 365), "31536000S"),
    ])
    func timeoutsHaveAtMostEightDigits(timeout: Duration, text: String) {
        #expect(StatusEncoding.encode(timeout: timeout) == text)
    }

    @Test(arguments: [
        ("1n", Duration.nanoseconds(1)), ("2u", .microseconds(2)), ("3m", .milliseconds(3)),
        ("4S", .seconds(4)),
        ("5M", .seconds(300)), ("6H", .seconds(21600)), ("99999999H", .seconds(99_999_999 * 3600)),
    ])
    func timeoutsAreRead(text: String, timeout: Duration) {
        #expect(StatusEncoding.decode(timeout: text) == timeout)
    }

    @Test(arguments: ["", "1", "n", "-1S", "+1S", "1x", "123456789n", "1.5S"])
    func otherTextIsNoTimeout(text: String) {
        #expect(StatusEncoding.decode(timeout: text) == nil)
    }

    @Test(
        arguments: [([], ""), ([0], "AA"), ([0, 1], "AAE"), ([255, 254, 253], "//79")] as [([UInt8], String)]
    )
    func base64RoundTrips(bytes: [UInt8], text: String) {
        #expect(Base64.encode(bytes) == Array(text.utf8))
        #expect(Base64.decode(text.utf8) == bytes)
        #expect(Base64.decode((text + String(repeating: "=", count: (4 - text.count % 4) % 4)).utf8) == bytes)
    }

    @Test(arguments: ["A", "A=A", "====", "A*A"])
    func otherTextIsNotBase64(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test func messagesAreCutWhereverTheDataIsCut() throws {
        let messages = [
            WireMessage(bytes: [1, 2, 3]), WireMessage(bytes: []),
            WireMessage(bytes: [7], isCompressed: true),
            WireMessage(bytes: [UInt8](repeating: 9, count: 300)),
        ]
        var wire: [UInt8] = []
        for message in messages {
            let count = message.bytes.count
            wire +=
                [message.isCompressed ? 1 : 0, 0, 0, UInt8(count >> 8), UInt8(count & 255)] + message.bytes
        }
        for step in [1, 2, 3, 7, 100, wire.count] {
            var deframer = Deframer()
            deframer.allowsCompression = true
            var received: [WireMessage] = []
            for start in stride(from: 0, to: wire.count, by: step) {
                try feed(wire[start..<min(start + step, wire.count)], to: &deframer, &received)
            }
            #expect(received == messages)
            #expect(deframer.isBetweenMessages)
        }
    }

    /// Flags that mean nothing, compression that nobody has named, and lengths beyond the limit.
    @Test(arguments: [
        ([2, 0, 0, 0, 0], StatusCode.internal), ([1, 0, 0, 0, 0], .internal),
        ([0, 0, 1, 0, 1], .resourceExhausted),
    ])
    func badPrefixesAreRefused(_ prefix: [UInt8], _ code: StatusCode) throws {
        var deframer = Deframer(limit: 1 << 16)
        var received: [WireMessage] = []
        let error = #expect(throws: RPCError.self) { try feed(prefix[...], to: &deframer, &received) }
        #expect(error?.code == code && received.isEmpty)
    }

    /// A length is a promise: room for a message comes with its bytes.
    @Test(arguments: [0, 1, 1000])
    func aPrefixAloneTakesNoMemory(arrived: Int) throws {
        var deframer = Deframer()
        var received: [WireMessage] = []
        let bytes: [UInt8] = [0, 0, 0x10, 0, 0] + [UInt8](repeating: 1, count: arrived)
        try feed(bytes[...], to: &deframer, &received)
        #expect(!deframer.isBetweenMessages && deframer.reservedBytes <= 4 * arrived + 64)
    }

    private func feed(
        _ bytes: ArraySlice<UInt8>,
        to deframer: inout Deframer,
        _ received: inout [WireMessage]
    ) throws(RPCError) {
        try Array(bytes).withUnsafeBufferPointer { buffer throws(RPCError) in
            var rest = buffer
            repeat {
                if let message = try deframer.next(&rest) { received.append(message) }
            } while !rest.isEmpty
        }
    }
}
