// SPDX-License-Identifier: Apache-2.0
import Messages
import TestMessages
import Testing

/// What proto3 has beyond the common: negative zeros, messages in pieces, messages that hold their own.
struct CompleteTests {
    private typealias Complete = TestV1.Complete

    private func roundTrip<M: Message & Equatable>(_ message: M) throws {
        #expect(try M(serialized: message.serialized()) == message)
    }

    @Test func negativeZeroIsNotAbsent() throws {
        let scalars = Complete.Scalars(doubleValue: -0.0, floatValue: -0.0)
        #expect(
            scalars.serialized() == [0x09, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x15, 0, 0, 0, 0x80]
        )
        let decoded = try Complete.Scalars(serialized: scalars.serialized())
        #expect(decoded.doubleValue.sign == .minus && decoded.floatValue.sign == .minus)
        #expect(Complete.Scalars(doubleValue: 0).serialized() == [])
    }

    @Test func numbersThatAreNoneSurvive() throws {
        let payload = Double(bitPattern: 0x7ff0_0000_dead_beef)
        let decoded = try Complete.Lists(serialized: Complete.Lists(doubleValue: [payload]).serialized())
        #expect(decoded.doubleValue.first?.bitPattern == payload.bitPattern)
    }

    @Test func everyTypeOfKeyWorks() throws {
        var maps = Complete.Maps()
        maps.byInt32 = [.min: 1.5, 0: -0.0, 7: .infinity]
        maps.byInt64 = [.max: 0.25]
        maps.byUint32 = [.max: -1]
        maps.byUint64 = [.max: .min]
        maps.bySint32 = [-1: 1]
        maps.bySint64 = [.min: .max]
        maps.byFixed32 = [1: -1]
        maps.byFixed64 = [.max: -2]
        maps.bySfixed32 = [-3: 3]
        maps.bySfixed64 = [.min: 4]
        maps.byBool = [true: -5, false: 0]
        maps.byString = ["": 0, "ü": .min]
        maps.colours = ["known": .red, "unknown": .init(rawValue: -77)]
        maps.messages = [0: .init(), 1: .init(int32Value: 1)]
        maps.times = ["t": .init(seconds: 1, nanos: 2)]
        try roundTrip(maps)
    }

    @Test func listsDeclaredUnpackedAreWrittenSo() throws {
        let lists = Complete.Lists(boolUnpacked: [true, false])
        #expect(lists.serialized() == [0xc0, 0x01, 1, 0xc0, 0x01, 0])
        try roundTrip(lists)
        #expect(try Complete.Lists(serialized: [0xc2, 0x01, 2, 1, 0]).boolUnpacked == [true, false])
    }

    // MARK: - Messages that hold their own

    @Test func aMessageMayHoldItself() throws {
        var chain = TestV1.Chain(number: 0)
        for number in 1...90 { chain = TestV1.Chain(number: Int32(number), next: chain) }
        chain.link = .init(name: "other", chain: .init(number: -1, maybe: .init()))
        try roundTrip(chain)
        // A copy is a value of its own.
        var copy = chain
        copy.next?.number = 1000
        #expect(chain.next?.number == 89 && copy != chain)
    }

    @Test func aChoiceMayHoldItself() throws {
        let one = TestV1.Expression(kind: .number(1))
        let sum = TestV1.Expression.Sum(left: one, right: .init(kind: .negated(one)), more: [one, .init()])
        try roundTrip(TestV1.Expression(kind: .negated(.init(kind: .sum(sum)))))
    }

    @Test func nestingThroughBoxesIsLimited() throws {
        var bytes: [UInt8] = []
        for _ in 1..<30 { bytes = [0x12, UInt8(bytes.count)] + bytes }
        var chain = try TestV1.Chain(serialized: bytes)
        for _ in 0..<69 { chain = TestV1.Chain(next: chain) }
        try roundTrip(chain)
        try roundTrip(TestV1.Chain(next: chain))
        #expect(throws: MessageError.tooDeep(message: "petrel.test.v1.Chain")) {
            try TestV1.Chain(serialized: TestV1.Chain(next: .init(next: chain)).serialized())
        }
    }

    // MARK: - Messages in pieces

    @Test func piecesOfAMessageAreMerged() throws {
        let first = Complete.Scalars(floatValue: 1, int32Value: 2, stringValue: "a")
        var second = Complete.Scalars(int32Value: 3, boolValue: true)
        second.unknownFields = [0x98, 0x06, 5]
        var other = first
        other.unknownFields = [0xa0, 0x06, 6]
        let bytes = Complete(scalars: other).serialized() + Complete(scalars: second).serialized()
        var expected = Complete.Scalars(floatValue: 1, int32Value: 3, boolValue: true, stringValue: "a")
        expected.unknownFields = [0xa0, 0x06, 6, 0x98, 0x06, 5]
        #expect(try Complete(serialized: bytes) == Complete(scalars: expected))
    }

    @Test func piecesWithoutAChoiceAreMerged() throws {
        let bytes =
            Complete(choices: .init(between: 1)).serialized()
            + Complete(choices: .init(choice: .int32Value(2))).serialized()
            + Complete(choices: .init(between: 3)).serialized()
        let expected = Complete(choices: .init(choice: .int32Value(2), between: 3))
        #expect(try Complete(serialized: bytes) == expected)
    }

    @Test func piecesOfAChoiceAreMergedUntilAnotherComes() throws {
        func bytes(_ choice: Complete.Choices.Choice) -> [UInt8] {
            Complete.Choices(choice: choice).serialized()
        }
        let one = bytes(.scalars(.init(int32Value: 1)))
        let two = bytes(.scalars(.init(stringValue: "two")))
        let merged = Complete.Choices(choice: .scalars(.init(int32Value: 1, stringValue: "two")))
        #expect(try Complete.Choices(serialized: one + two) == merged)
        let replaced = Complete.Choices(choice: .scalars(.init(stringValue: "two")))
        #expect(try Complete.Choices(serialized: one + bytes(.boolValue(true)) + two) == replaced)
        let last = Complete.Choices(choice: .boolValue(false))
        #expect(try Complete.Choices(serialized: one + two + bytes(.boolValue(false))) == last)
    }

    @Test func piecesInPiecesAreMerged() throws {
        let chain = { (chain: TestV1.Chain) in Complete(chain: chain).serialized() }
        let bytes =
            chain(.init(next: .init(number: 1, link: .init(name: "x"))))
            + chain(.init(next: .init(link: .init(chain: .init(number: 5)))))
        let link = TestV1.Link(name: "x", chain: .init(number: 5))
        #expect(try Complete(serialized: bytes) == Complete(chain: .init(next: .init(number: 1, link: link))))
    }

    @Test func elementsAreNotMerged() throws {
        let lists = Complete.Lists(scalars: [.init(int32Value: 1), .init(floatValue: 2)])
        #expect(try Complete.Lists(serialized: lists.serialized() + lists.serialized()).scalars.count == 4)
    }

    @Test func manyPiecesTakeLittle() throws {
        // Merged one by one, their lists would be copied a hundred thousand times.
        let piece = Complete(lists: .init(boolValue: [true])).serialized()
        var bytes: [UInt8] = []
        for _ in 0..<100_000 { bytes += piece }
        #expect(try Complete(serialized: bytes).lists?.boolValue.count == 100_000)
    }

    @Test func brokenPiecesAreRefused() {
        let piece = Complete(scalars: .init(int32Value: 1)).serialized()
        for tail in [[0x0a, 0x05, 0x18], [0x0a, 0x01, 0x18], [0x0b]] as [[UInt8]] {
            #expect(throws: MessageError.malformed(message: "petrel.test.v1.Complete")) {
                try Complete(serialized: piece + piece + tail)
            }
        }
    }

    // MARK: - Unknown fields

    @Test func whatAnOlderReleaseDoesNotKnowGoesThroughIt() throws {
        var complete = Complete(scalars: .init(floatValue: 1, int32Value: 2), last: "end")
        complete.lists = .init(stringValue: ["a"], scalars: [.init(int32Value: 1, boolValue: true)])
        complete.maps = .init(messages: [1: .init(int32Value: 2, stringValue: "deep")])
        complete.choices = .init(choice: .scalars(.init(bytesValue: [1])), between: 9)
        complete.chain = .init(number: 1, next: .init(number: 2, next: .init(link: .init(name: "x"))))
        let older = try TestV1.Older(serialized: complete.serialized())
        #expect(older.scalars?.int32Value == 2 && older.chain?.next?.next != nil)
        #expect(try Complete(serialized: older.serialized()) == complete)
    }
}
