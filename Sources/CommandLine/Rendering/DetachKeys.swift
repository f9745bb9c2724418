// SPDX-License-Identifier: Apache-2.0

/// The keys that leave a terminal's program running, as the Docker command line knows them. A pure value that sees
/// everything that is typed.
package struct DetachKeys: Sendable {
    private let keys: [UInt8]
    private var matched = 0

    /// `ctrl-p,ctrl-q`.
    package static let standard = [UInt8]([16, 17])

    /// - Parameter text: Keys with commas between: a character, `ctrl-` and one of a–z `@[\]^_`, or `DEL`. Empty: the
    ///   usual ones.
    /// - Throws: for a key that is none.
    package init(_ text: String) throws(Failure) {
        guard !text.isEmpty else {
            keys = Self.standard
            return
        }
        keys = try text.split(separator: ",", omittingEmptySubsequences: false).map { (key) throws(Failure) in
            guard let byte = Self.byte(String(key)) else {
                throw Failure(
                    "--detach-keys '\(text)'",
                    "unknown key '\(key)'",
                    advice:
                        "write a character, or ctrl- and one of a-z @ [ \\ ] ^ _, with commas between: ctrl-a,b"
                )
            }
            return byte
        }
    }

    private static func byte(_ key: String) -> UInt8? {
        if key.utf8.count == 1 { return key.utf8.first }
        if key == "DEL" { return 127 }
        guard key.hasPrefix("ctrl-"), key.utf8.count == 6, let letter = key.utf8.last else { return nil }
        switch letter {
        case UInt8(ascii: "@"): return 0
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return letter - UInt8(ascii: "a") + 1
        case UInt8(ascii: "[")...UInt8(ascii: "_"): return letter - UInt8(ascii: "@")
        default: return nil
        }
    }

    /// Looks at what was typed. Keys that may begin the sequence are held back until it is clear whether they do.
    /// - Returns: What is to be passed on, and whether the sequence is complete (the rest does not count then).
    package mutating func feed(_ bytes: [UInt8]) -> (passed: [UInt8], isComplete: Bool) {
        var passed: [UInt8] = []
        for byte in bytes {
            if byte == keys[matched] {
                matched += 1
                if matched == keys.count { return (passed, true) }
                continue
            }
            passed += keys[..<matched]
            matched = 0
            passed.append(byte)
        }
        return (passed, false)
    }
}
