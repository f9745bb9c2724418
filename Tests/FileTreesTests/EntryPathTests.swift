// SPDX-License-Identifier: Apache-2.0
import FileTrees
import Testing

@Suite struct EntryPathTests {
    private static func text(_ name: String, below prefix: String = "") -> String? {
        EntryPath(Array(name.utf8), below: prefix.utf8.map { CChar(bitPattern: $0) })?.display
    }

    @Test(arguments: [
        ("a/b", "", "a/b"), ("./a//b/.", "", "a/b"), ("/a", "", "a"), ("a/../b", "", "b"), (".", "", ""),
        ("a", "p/q", "p/q/a"), ("a/../b", "p", "p/b"), (".", "p/q", "p/q"), ("a/..", "p", "p"),
    ])
    func namesAreBeneathTheirRoot(name: String, prefix: String, path: String) {
        #expect(Self.text(name, below: prefix) == path)
    }

    @Test(arguments: ["..", "a/../..", "../x", "/.."]) func noneLeadsOut(name: String) {
        #expect(Self.text(name) == nil)
        #expect(Self.text(name, below: "p/q") == nil)
    }

    @Test func aParentIsThePrefix() {
        let path = EntryPath(Array("a".utf8), below: [0x70, 0x2f, 0x71])
        #expect(path.map { Array($0.parent) } == [0x70, 0x2f, 0x71])
        #expect(path.map { Array($0.name) } == [0x61, 0])
        let top = EntryPath(Array("a".utf8), below: [0x70])
        #expect(top?.isRoot == false && EntryPath([0x2e], below: [0x70])?.isRoot == true)
    }
}
