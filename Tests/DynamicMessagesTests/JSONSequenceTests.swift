// SPDX-License-Identifier: Apache-2.0
import DynamicMessages
import Testing

struct JSONSequenceTests {
    /// Fed in pieces of `step` bytes.
    private func texts(_ input: String, step: Int) -> [String] {
        var sequence = JSONSequence()
        let bytes = Array(input.utf8)
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            found += sequence.feed(Array(bytes[start..<min(start + step, bytes.count)]))
        }
        if let last = sequence.finish() { found.append(last) }
        return found.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("", []), (" \n ", []),
            (#"{"a": 1}"#, [#"{"a": 1}"#]),
            (#"{"a": 1}{"b":[2, {}]} {}"#, [#"{"a": 1}"#, #"{"b":[2, {}]}"#, "{}"]),
            // Brackets and quotes within a string end nothing.
            (#"{"a":"}\"{\\"} {"b":"]"}"#, [#"{"a":"}\"{\\"}"#, #"{"b":"]"}"#]),
            (#""a b""c" 1 true[null]"#, [#""a b""#, #""c""#, "1", "true", "[null]"]),
            // What is not complete, or no JSON, is for the parser to judge.
            (#"{"a": 1"#, [#"{"a": 1"#]), ("} {}", ["}", "{}"]), ("nul", ["nul"]), (#""a"#, [#""a"#]),
        ] as [(String, [String])]
    )
    func valuesAreCutWhereverTheInputIsCut(input: String, expected: [String]) {
        for step in [1, 2, 3, 1000] { #expect(texts(input, step: step) == expected) }
    }

    @Test func aValueIsGivenAsSoonAsItIsComplete() {
        var sequence = JSONSequence()
        #expect(sequence.feed(Array(#"{"a":1}{"#.utf8)).count == 1)
        #expect(sequence.feed(Array(#""b":2"#.utf8)).isEmpty)
        #expect(sequence.feed(Array("}".utf8)).count == 1)
        #expect(sequence.finish() == nil)
    }

    @Test func anEndlessValueIsNotKept() {
        var sequence = JSONSequence()
        var longest = 0
        for _ in 0..<20 {
            let found = sequence.feed([0x5b] + [UInt8](repeating: 0x31, count: 1 << 20))
            longest = max(longest, found.map(\.count).max() ?? 0)
        }
        #expect(longest == JSONSequence.sizeLimit + 1)
    }
}
