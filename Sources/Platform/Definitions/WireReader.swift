// SPDX-License-Identifier: Apache-2.0

/// Reads protobuf's wire format, one field after another, from bytes that may come from anybody.
///
/// It copies nothing and does not recurse: a message within is a slice, for a reader of its own. Groups, which proto3
/// does not have, are passed over.
package struct WireReader: Sendable {
    package enum Value: Hashable, Sendable {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
        case fixed32(UInt32)

        package static func text(_ text: String) -> Value { .bytes(ArraySlice(text.utf8)) }
    }

    package struct Field: Hashable, Sendable {
        /// 1 to 536 870 911.
        package let number: Int
        package let value: Value

        package init(number: Int, value: Value) {
            self.number = number
            self.value = value
        }
    }

    /// Most groups within groups.
    package static let groupLimit = 100
    package static let largestNumber = (1 << 29) - 1

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    package var isAtEnd: Bool { position == bytes.endIndex }

    /// The next field; nil at the end.
    /// - Throws: `WireError` with the offset from the start of the whole, not of the slice.
    package mutating func next() throws(WireError) -> Field? {
        while !isAtEnd {
            let start = position
            let (number, type) = try tag()
            switch type {
            case 3: try skipGroup(number)
            case 4: throw WireError(.strayEndOfGroup, offset: start)
            default: return Field(number: number, value: try value(type, at: start))
            }
        }
        return nil
    }

    // MARK: - For packed lists

    package mutating func varint() throws(WireError) -> UInt64 {
        let start = position
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            // Bits beyond the 64th are dropped, as everybody does.
            if shift < 64 { result |= UInt64(byte & 0x7f) << shift }
            if byte < 0x80 { return result }
            shift += 7
            guard shift < 70 else { throw WireError(.longVarint, offset: start) }
        }
        throw WireError(.truncated, offset: start)
    }

    package mutating func fixed32() throws(WireError) -> UInt32 {
        UInt32(truncatingIfNeeded: try littleEndian(4))
    }

    package mutating func fixed64() throws(WireError) -> UInt64 { try littleEndian(8) }

    // MARK: -

    private mutating func tag() throws(WireError) -> (number: Int, type: UInt8) {
        let start = position
        let tag = try varint()
        let number = tag >> 3
        guard number >= 1, number <= UInt64(Self.largestNumber) else {
            throw WireError(.badFieldNumber, offset: start)
        }
        return (Int(number), UInt8(tag & 7))
    }

    private mutating func value(_ type: UInt8, at start: Int) throws(WireError) -> Value {
        switch type {
        case 0: return .varint(try varint())
        case 1: return .fixed64(try fixed64())
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.endIndex - position) else {
                throw WireError(.truncated, offset: start)
            }
            defer { position += Int(length) }
            return .bytes(bytes[position..<position + Int(length)])
        case 5: return .fixed32(try fixed32())
        default: throw WireError(.badWireType(type), offset: start)
        }
    }

    private mutating func skipGroup(_ number: Int) throws(WireError) {
        var open = [number]
        while let innermost = open.last {
            let start = position
            guard !isAtEnd else { throw WireError(.truncated, offset: start) }
            let (number, type) = try tag()
            switch type {
            case 3:
                guard open.count < Self.groupLimit else {
                    throw WireError(.tooDeep(limit: Self.groupLimit), offset: start)
                }
                open.append(number)
            case 4:
                guard number == innermost else { throw WireError(.strayEndOfGroup, offset: start) }
                open.removeLast()
            default: _ = try value(type, at: start)
            }
        }
    }

    private mutating func littleEndian(_ count: Int) throws(WireError) -> UInt64 {
        guard bytes.endIndex - position >= count else { throw WireError(.truncated, offset: position) }
        defer { position += count }
        return bytes[position..<position + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Bytes that are not protobuf's wire format, and where.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        /// The bytes end within a field.
        case truncated
        /// More than ten bytes.
        case longVarint
        /// 0, or more than 29 bits.
        case badFieldNumber
        case badWireType(UInt8)
        /// A group ends that did not begin.
        case strayEndOfGroup
        case tooDeep(limit: Int)
    }

    package let reason: Reason
    /// In bytes, from 0.
    package let offset: Int

    package init(_ reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// `byte 12: ends within a field`.
    package var description: String { "byte \(offset): \(text)" }

    private var text: String {
        switch reason {
        case .truncated: "ends within a field"
        case .longVarint: "a number of more than ten bytes"
        case .badFieldNumber: "no such field number"
        case .badWireType(let type): "no wire type \(type)"
        case .strayEndOfGroup: "a group ends that did not begin"
        case .tooDeep(let limit): "nested deeper than \(limit)"
        }
    }
}
