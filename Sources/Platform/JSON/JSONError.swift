// SPDX-License-Identifier: Apache-2.0

/// Text that is not JSON, or not JSON that Petrel accepts, and where.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        case tooLarge(limitBytes: Int)
        case tooDeep(limit: Int)
        case duplicateKey
        /// Not UTF-8.
        case encoding
        /// A number that no type here can hold.
        case numberRange
        /// What the parser says.
        case syntax(String)
    }

    package let reason: Reason
    /// Offset of the place in bytes, from 0.
    package let offset: Int
    /// From 1.
    package let line: Int

    package init(_ reason: Reason, offset: Int, line: Int) {
        self.reason = reason
        self.offset = offset
        self.line = line
    }

    /// `line 3, byte 120: duplicate key`.
    package var description: String { "line \(line), byte \(offset): \(text)" }

    private var text: String {
        switch reason {
        case .tooLarge(let limit): "larger than \(limit) bytes"
        case .tooDeep(let limit): "nested deeper than \(limit)"
        case .duplicateKey: "duplicate key"
        case .encoding: "not UTF-8"
        case .numberRange: "number out of range"
        case .syntax(let text): text
        }
    }
}
