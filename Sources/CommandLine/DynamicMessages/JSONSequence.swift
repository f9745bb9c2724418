// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of JSON values, one behind another with white space between or nothing, into texts of one value each.
///
/// It finds ends, and judges nothing: what is no JSON comes out as a text that the parser will refuse.
package struct JSONSequence: Sendable {
    /// The longest text of one value, in bytes; what is beyond it comes out as it is.
    package static let sizeLimit = 16 << 20

    private var text: [UInt8] = []
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    package init() {}

    /// - Returns: The values that are complete now.
    package mutating func feed(_ bytes: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        for byte in bytes {
            if isInString {
                text.append(byte)
                readInString(byte)
                if !isInString, depth == 0 { take(&found) }
                continue
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if depth == 0 { take(&found) } else { text.append(byte) }
            case UInt8(ascii: "\""):
                if depth == 0 { take(&found) }
                text.append(byte)
                isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if depth == 0 { take(&found) }
                text.append(byte)
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                text.append(byte)
                depth = max(0, depth - 1)
                if depth == 0 { take(&found) }
            default: text.append(byte)
            }
            if text.count > Self.sizeLimit { take(&found) }
        }
        return found
    }

    /// The input has ended.
    /// - Returns: What is left: a number, `true`, …, or a value that is not complete.
    package mutating func finish() -> [UInt8]? {
        var found: [[UInt8]] = []
        take(&found)
        return found.first
    }

    private mutating func readInString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
        }
    }

    private mutating func take(_ found: inout [[UInt8]]) {
        if !text.isEmpty { found.append(text) }
        self = JSONSequence()
    }
}
