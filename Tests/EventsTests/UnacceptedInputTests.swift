// SPDX-License-Identifier: Apache-2.0
import Events
import Testing

struct UnacceptedInputTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func nothingGoesOutBeforeTheReceiverHasSpoken() {
        var input = UnacceptedInput()
        input.append(Array("abc".utf8))
        #expect(input.next(limit: 10).isEmpty)
        // Others had sent 100 bytes before us.
        input.accept(100)
        #expect(text(input.next(limit: 10)) == "abc" && input.isAllSent && !input.isAllAccepted)
        input.accept(102)
        input.accept(103)
        #expect(input.isAllAccepted)
    }

    @Test func whatWasNotAcceptedGoesOutAgain() {
        var input = UnacceptedInput()
        input.append(Array("abcdefgh".utf8))
        input.accept(0)
        #expect(text(input.next(limit: 5)) == "abcde")
        input.accept(2)
        input.disconnect()
        #expect(input.next(limit: 10).isEmpty)
        // More had arrived than was told.
        input.accept(4)
        #expect(text(input.next(limit: 10)) == "efgh")
        input.disconnect()
        input.disconnect()
        input.accept(8)
        #expect(input.isAllAccepted && input.next(limit: 10).isEmpty)
    }

    @Test func limitsAreKept() {
        var input = UnacceptedInput()
        input.accept(10)
        input.append([UInt8](repeating: 1, count: UnacceptedInput.limit))
        #expect(input.room == 0)
        #expect(input.next(limit: 100, upTo: 15).count == 5)
        #expect(input.next(limit: 100, upTo: 15).isEmpty)
        #expect(input.next(limit: 100, upTo: 10).isEmpty)
        #expect(input.next(limit: 100).count == 100)
        input.accept(50)
        #expect(input.room == 40)
        input.end()
        input.append([1])
        #expect(input.room == 40 && input.hasEnded)
    }

    @Test func nothingUnsentIsDroppedForOthersBytes() {
        var input = UnacceptedInput()
        input.accept(0)
        input.append(Array("abcd".utf8))
        #expect(text(input.next(limit: 2)) == "ab")
        // Somebody else's bytes count too.
        input.accept(1000)
        #expect(text(input.next(limit: 10)) == "cd")
        input.disconnect()
        input.accept(5000)
        #expect(input.isAllAccepted)
    }
}
