// SPDX-License-Identifier: Apache-2.0

/// A SHA-256 digest, the name of content: `sha256:` and 64 lower-case hexadecimal digits.
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let hex: String

    /// - Throws: `.invalidDigest` unless `text` is `sha256:` and 64 lower-case hexadecimal digits.
    package init(_ text: some StringProtocol) throws(OCIError) {
        guard text.hasPrefix("sha256:") else {
            throw .invalidDigest(String(text.prefix(200)), "only sha256 digests are supported")
        }
        let hex = text.dropFirst(7)
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(\.isLowerHexDigit) else {
            throw .invalidDigest(
                String(text.prefix(200)),
                "a sha256 digest has 64 lower-case hexadecimal digits"
            )
        }
        self.hex = String(hex)
    }

    /// From the 32 bytes that SHA-256 gives.
    package init(sha256 bytes: some Sequence<UInt8>) {
        let digits = Array("0123456789abcdef".utf8)
        var hex: [UInt8] = []
        hex.reserveCapacity(64)
        for byte in bytes {
            hex.append(digits[Int(byte >> 4)])
            hex.append(digits[Int(byte & 15)])
        }
        self.hex = String(decoding: hex, as: UTF8.self)
    }

    package var description: String { "sha256:" + hex }

    /// The first 12 digits, as people see it.
    package var short: String { String(hex.prefix(12)) }

    package static func < (a: Digest, b: Digest) -> Bool { a.hex < b.hex }
}

extension UInt8 {
    var isLowerHexDigit: Bool { isDigit || (0x61...0x66).contains(self) }
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isLowerLetter: Bool { (0x61...0x7a).contains(self) }
    var isLetter: Bool { isLowerLetter || (0x41...0x5a).contains(self) }
}
