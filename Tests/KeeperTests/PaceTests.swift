// SPDX-License-Identifier: Apache-2.0
import Keeper
import Testing

struct PaceTests {
    /// - Returns: When the source rests after each of `count` pieces that come `gapNanos` apart.
    private static func rests(_ count: Int, bytes: Int, gapNanos: Int64, grows: Bool = true) -> [Int64?] {
        var pace = OutputPace()
        return (0..<Int64(count)).map { index in
            pace.note(bytes, now: 1_000_000_000 + index * gapNanos) { grows }
            return pace.restsUntil
        }
    }

    @Test func aStreamOfSmallPiecesRests() {
        let rests = Self.rests(20, bytes: 4096, gapNanos: 100_000)
        #expect(rests[..<8].allSatisfy { $0 == nil })
        #expect(rests[8...].allSatisfy { $0 != nil })
        let expected: Int64? = 1_002_000_000
        #expect(rests[10] == expected)
    }

    @Test func whatComesNowAndThenIsTakenAtOnce() {
        #expect(Self.rests(50, bytes: 4096, gapNanos: 5_000_000).allSatisfy { $0 == nil })
    }

    @Test func aFasterWriterIsNotHeldUp() {
        #expect(Self.rests(50, bytes: 1 << 20, gapNanos: 100_000).allSatisfy { $0 == nil })
    }

    @Test func aSmallPipeIsNotLetFillUp() {
        #expect(Self.rests(50, bytes: 4096, gapNanos: 100_000, grows: false).allSatisfy { $0 == nil })
    }
}
