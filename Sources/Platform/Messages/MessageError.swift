// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not the message that they should be.
package enum MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The wire format is broken, or decoding would take an absurd amount of memory.
    case malformed(message: String)
    /// A field of type `string` is not UTF-8.
    case invalidText(field: String)
    /// Nested deeper than 100 messages.
    case tooDeep(message: String)

    package var description: String {
        switch self {
        case .malformed(let message): "malformed \(message)"
        case .invalidText(let field): "\(field) is not UTF-8"
        case .tooDeep(let message): "\(message) is nested too deeply"
        }
    }
}
