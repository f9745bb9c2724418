// SPDX-License-Identifier: Apache-2.0
import System
import TestSupport
import Testing

@Suite(.needsRoot) struct FileTreeTests {
    private func makeDeep(_ path: String, levels: Int) throws {
        try Files.makeDirectories(path + String(repeating: "/d", count: levels))
    }

    @Test func deepTreesAreRemovedBesideWhatAnEarlierAttemptLeft() throws {
        try withTemporaryDirectory { directory in
            let tree = directory + "/tree"
            try makeDeep(tree + "/a", levels: 150)
            try makeDeep(tree + "/b", levels: 150)
            // As an earlier attempt, or a hostile layer, may have left it.
            for number in 1...3 { try makeDeep(tree + "/.petrel-removing-\(number)/x", levels: 2) }
            try Files.removeTree(tree)
            #expect(!Files.exists(tree))
        }
    }

    @Test(.needsProgram("chattr"), arguments: ["+i", "+a"])
    func whatIsProtectedFromRootIsRemovedToo(flag: String) throws {
        try withTemporaryDirectory { directory in
            let tree = directory + "/tree"
            try makeDeep(tree + "/a", levels: 70)
            try Files.makeDirectories(tree + "/b/c")
            for file in [tree + "/file", tree + "/b/file", tree + "/b/c/file"] {
                try Files.replace(file, with: [1], mode: 0o644)
            }
            try succeed("chattr", ["-R", flag, tree])
            try Files.removeTree(tree)
            #expect(!Files.exists(tree))
        }
    }
}
