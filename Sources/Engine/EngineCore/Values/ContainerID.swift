// SPDX-License-Identifier: Apache-2.0

/// 64 lower-case hexadecimal digits, chosen at random; also the form of an exec's id.
package struct ContainerID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Nil unless `text` is 64 lower-case hexadecimal digits.
    package init?(_ text: String) {
        guard text.utf8.count == 64, ContainerID.isHexadecimal(text) else { return nil }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    /// A new one from the system's random generator.
    package static func random() -> ContainerID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    package static func random(using generator: inout some RandomNumberGenerator) -> ContainerID {
        let digits = Array("0123456789abcdef".utf8)
        while true {
            // The generator is the kernel: it is asked for 16 digits at a time.
            let numbers = (0..<4).map { _ in generator.next() }
            let bytes = (0..<64).map { digits[Int(numbers[$0 / 16] >> (4 * UInt64($0 % 16)) & 15)] }
            // The short id is the default host name, which must not look like a number.
            if bytes.prefix(12).contains(where: { $0 > 0x39 }) {
                return ContainerID(unchecked: String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    /// The first 12 digits: what people are shown.
    package var short: String { String(text.prefix(12)) }

    package var description: String { text }

    /// Whether `text` could be (the beginning of) an id.
    package static func isPrefix(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && isHexadecimal(text)
    }

    private static func isHexadecimal(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
