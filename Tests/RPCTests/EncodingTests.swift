// SPDX-License-Identifier: Apache-2.0
import Testing

import RPC

struct EncodingTests {
    @Test(arguments: [
        ("plain", "plain"), ("100 %", "100 %25"), ("é", "%C3%A9"), ("a\nb", "a%0Ab"), ("", ""),
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

    @Test(arguments: ["", "1", "n", "-1S", "1x", "123456789n", "1.5S"])
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
        let messages: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 9, count: 300)]
        var wire: [UInt8] = []
        for message in messages {
            wire += [0, 0, 0, UInt8(message.count >> 8), UInt8(message.count & 255)] + message
        }
        for step in [1, 2, 3, 7, 100, wire.count] {
            var deframer = Deframer()
            var received: [[UInt8]] = []
            var index = 0
            while index < wire.count {
                let part = Array(wire[index..<min(index + step, wire.count)])
                received += try part.withUnsafeBufferPointer { buffer throws(RPCError) in
                    try deframer.feed(buffer)
                }
                index += step
            }
            #expect(received == messages)
            #expect(deframer.isBetweenMessages)
        }
    }
}
