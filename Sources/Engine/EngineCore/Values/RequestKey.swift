// SPDX-License-Identifier: Apache-2.0

/// By which a repeated request is known for the one that it repeats.
enum RequestKey {
    static let maximumBytes = 128

    /// The caller's key, or a new one where it has none.
    /// - Throws: `.invalidField` for more than 128 bytes, or others than printable ASCII.
    static func checked(_ text: String) throws(EngineError) -> String {
        guard !text.isEmpty else { return ContainerID.random().text }
        guard text.utf8.count <= maximumBytes, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .invalidField("key", "must be 1 to \(maximumBytes) printable ASCII characters")
        }
        return text
    }
}
