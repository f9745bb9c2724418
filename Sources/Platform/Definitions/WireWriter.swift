// SPDX-License-Identifier: Apache-2.0

/// Writes protobuf's wire format, field by field.
package struct WireWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func varint(_ number: Int, _ value: UInt64) {
        tag(number, 0)
        append(varint: value)
    }

    package mutating func fixed64(_ number: Int, _ value: UInt64) {
        tag(number, 1)
        append(fixed64: value)
    }

    package mutating func bytes(_ number: Int, _ value: some Collection<UInt8>) {
        tag(number, 2)
        append(varint: UInt64(value.count))
        bytes += value
    }

    package mutating func text(_ number: Int, _ value: String) { bytes(number, value.utf8) }

    package mutating func fixed32(_ number: Int, _ value: UInt32) {
        tag(number, 5)
        append(fixed32: value)
    }

    package mutating func append(_ value: WireReader.Value, _ number: Int) {
        switch value {
        case .varint(let bits): varint(number, bits)
        case .fixed64(let bits): fixed64(number, bits)
        case .fixed32(let bits): fixed32(number, bits)
        case .bytes(let content): bytes(number, content)
        }
    }

    // MARK: - Without a tag, for packed lists

    package mutating func append(varint value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    package mutating func append(fixed32 value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    package mutating func append(fixed64 value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Fields that are written already.
    package mutating func append(_ fields: [UInt8]) { bytes += fields }

    private mutating func tag(_ number: Int, _ type: UInt64) { append(varint: UInt64(number) << 3 | type) }
}
