// SPDX-License-Identifier: Apache-2.0
import Messages
import TestMessages
import Testing

struct NestingTests {
    /// `depth` trees, each the only child of the one around it.
    private func nested(_ depth: Int, field: UInt8 = 0x12) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 1..<depth {
            var length: [UInt8] = []
            var count = bytes.count
            while count >= 0x80 {
                length.append(UInt8(count & 0x7f) | 0x80)
                count >>= 7
            }
            bytes = [field] + length + [UInt8(count)] + bytes
        }
        return bytes
    }

    @Test func hundredLevelsAreAccepted() throws {
        var tree: TestV1.Tree? = try TestV1.Tree(serialized: nested(100))
        var depth = 0
        while let next = tree {
            depth += 1
            tree = next.children.first
        }
        #expect(depth == 100)
    }

    @Test(arguments: [101, 20_000])
    func moreAreRefused(depth: Int) {
        #expect(throws: MessageError.tooDeep(message: "petrel.test.v1.Tree")) {
            try TestV1.Tree(serialized: nested(depth))
        }
    }

    @Test func nestingThroughMapsCounts() throws {
        let inner = try TestV1.Tree(serialized: nested(60))
        let tree = TestV1.Tree(byName: ["a": inner])
        #expect(try TestV1.Tree(serialized: tree.serialized()) == tree)
        #expect(throws: MessageError.self) {
            try TestV1.Tree(
                serialized: TestV1.Tree(byName: ["a": TestV1.Tree(serialized: nested(99))]).serialized()
            )
        }
    }

    @Test func aFewBytesDoNotTakeMuchMemory() {
        // A million empty children in two bytes each would be more than a hundred megabytes of structures.
        var bytes: [UInt8] = []
        for _ in 0..<2_000_000 { bytes += [0x12, 0] }
        let outcome = Result { try TestV1.Tree(serialized: bytes) }
        if case .success(let tree) = outcome { #expect(tree.children.count == 2_000_000) }
    }

    /// What a map makes room for follows from what is in it, not from how many entries there are.
    @Test func entriesWithOneKeyTakeNoRoom() throws {
        let texts = Array(repeatElement([0xfa, 0x01, 0] as [UInt8], count: 1_000_000).joined())
        let textByText = try TestV1.Everything(serialized: texts).textByText
        #expect(textByText == ["": ""] && textByText.capacity < 100)
        let trees = Array(repeatElement([0x1a, 0] as [UInt8], count: 1_000_000).joined())
        let byName = try TestV1.Tree(serialized: trees).byName
        #expect(byName == ["": .init()] && byName.capacity < 100)
    }

    @Test(arguments: [12, 13, 1000])
    func aLargeMapIsWhole(count: Int) throws {
        let keys = (0..<count).map { "\($0)" }
        let texts = Dictionary(uniqueKeysWithValues: keys.map { ($0, $0) })
        let flags = Dictionary(uniqueKeysWithValues: (0..<count).map { (Int32($0), $0 % 2 == 0) })
        let trees = Dictionary(uniqueKeysWithValues: keys.map { ($0, TestV1.Tree()) })
        let everything = TestV1.Everything(textByText: texts, flagByNumber: flags)
        #expect(try TestV1.Everything(serialized: everything.serialized()) == everything)
        let tree = TestV1.Tree(byName: trees)
        #expect(try TestV1.Tree(serialized: tree.serialized()) == tree)
    }
}
