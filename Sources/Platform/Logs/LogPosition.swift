// SPDX-License-Identifier: Apache-2.0

/// A place in a container's output: byte `offset` of segment `segment`. As text, `SEGMENT:OFFSET`.
package struct LogPosition: Hashable, Comparable, Sendable, LosslessStringConvertible {
    package let segment: UInt64
    package let offset: UInt64

    /// Before everything that is still there.
    package static let start = LogPosition(segment: 0, offset: 0)

    package init(segment: UInt64, offset: UInt64) {
        self.segment = segment
        self.offset = offset
    }

    /// nil when `text` is not of the form `SEGMENT:OFFSET`.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let segment = UInt64(parts[0]), let offset = UInt64(parts[1]) else {
            return nil
        }
        self.init(segment: segment, offset: offset)
    }

    package var description: String { "\(segment):\(offset)" }

    package static func < (left: LogPosition, right: LogPosition) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }
}
