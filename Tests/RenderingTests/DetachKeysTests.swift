// SPDX-License-Identifier: Apache-2.0
import Rendering
import Testing

struct DetachKeysTests {
    @Test(
        arguments: [
            ("", [16, 17]), ("ctrl-p,ctrl-q", [16, 17]), ("ctrl-a,b", [1, 98]), ("x", [120]), ("ctrl-@", [0]),
            ("ctrl-[", [27]), ("ctrl-\\", [28]), ("ctrl-]", [29]), ("ctrl-^", [30]), ("ctrl-_", [31]),
            ("DEL", [127]),
            ("ctrl-z,ctrl-z", [26, 26]),
        ] as [(String, [UInt8])]
    ) func keysAreParsedAsDockerDoes(text: String, bytes: [UInt8]) throws {
        var keys = try DetachKeys(text)
        let result = keys.feed([65] + bytes + [66])
        #expect(result.passed == [65] && result.isComplete)
    }

    @Test(arguments: ["ctrl-A", "ctrl-", "ab", "ctrl-a,", ",", "ctrl-1", "shift-a", "ä"])
    func unknownKeysAreRefused(text: String) {
        #expect(throws: Failure.self) { try DetachKeys(text) }
    }

    @Test func keysThatMayBeginTheSequenceAreHeldBack() throws {
        var keys = try DetachKeys("ctrl-p,ctrl-q")
        #expect(keys.feed([1, 16]).passed == [1])
        // It was none: both are passed on.
        let next = keys.feed([2])
        #expect(next.passed == [16, 2] && !next.isComplete)
        #expect(keys.feed([16]).passed == [])
        let last = keys.feed([17, 9])
        #expect(last.passed == [] && last.isComplete)
    }
}
