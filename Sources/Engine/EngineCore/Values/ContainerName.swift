// SPDX-License-Identifier: Apache-2.0

/// A container's name: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`. Docker's rule, but for names of one character, which it refuses.
package struct ContainerName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Accepts one leading `/`, as the Docker API writes names.
    /// - Throws: `.invalidName` when the rule is broken.
    package init(_ text: String) throws(EngineError) {
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        guard name.utf8.count <= 255,
            let first = name.utf8.first, ContainerName.isAlphanumeric(first),
            name.utf8.allSatisfy({ ContainerName.isAlphanumeric($0) || [0x5f, 0x2e, 0x2d].contains($0) })
        else { throw .invalidName(text) }
        self.text = name
    }

    /// `adjective_surname`, followed by a digit from the second attempt on.
    package static func generated(
        attempt: Int,
        using generator: inout some RandomNumberGenerator
    ) -> ContainerName {
        let adjective = NameWords.adjectives.randomElement(using: &generator) ?? "calm"
        let surname = NameWords.surnames.randomElement(using: &generator) ?? "leach"
        let suffix =
            attempt == 0 ? "" : String(Int.random(in: 0..<(attempt < 8 ? 10 : 100_000), using: &generator))
        return ContainerName(unchecked: "\(adjective)_\(surname)\(suffix)")
    }

    package var description: String { text }

    private init(unchecked text: String) { self.text = text }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}
