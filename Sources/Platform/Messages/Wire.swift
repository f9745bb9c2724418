// SPDX-License-Identifier: Apache-2.0
package import CMessages

/// Swift values of protobuf-c's: what generated code calls when it decodes.
package enum Wire {
    /// - Throws: `.invalidText` when the bytes are not UTF-8.
    package static func text(
        _ data: ProtobufCBinaryData,
        _ field: StaticString
    ) throws(MessageError) -> String {
        try text(UnsafeBufferPointer(start: data.data, count: data.len), field)
    }

    static func text(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ field: StaticString
    ) throws(MessageError) -> String {
        guard !bytes.isEmpty else { return "" }
        // Most text is ASCII, and finding that out is much cheaper than validating.
        if isASCII(UnsafeRawBufferPointer(bytes)) {
            // So little has its place in the string itself, and is quicker put there.
            if bytes.count <= smallText {
                return String(unsafeUninitializedCapacity: bytes.count) { room in
                    copyFew(UnsafeRawBufferPointer(bytes), to: UnsafeMutableRawBufferPointer(room))
                    return bytes.count
                }
            }
            return String(copying: UTF8Span(unchecked: bytes.span, isKnownASCII: true))
        }
        guard let valid = try? UTF8Span(validating: bytes.span) else {
            throw .invalidText(field: "\(field)")
        }
        return String(copying: valid)
    }

    private static let smallText = 15

    /// What a call of memcpy costs is more than these.
    @inline(__always)
    private static func copyFew(_ bytes: UnsafeRawBufferPointer, to room: UnsafeMutableRawBufferPointer) {
        let count = bytes.count
        // Two halves that overlap.
        if count >= 8 {
            let last = bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            room.storeBytes(of: bytes.loadUnaligned(as: UInt64.self), as: UInt64.self)
            room.storeBytes(of: last, toByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            let last = bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            room.storeBytes(of: bytes.loadUnaligned(as: UInt32.self), as: UInt32.self)
            room.storeBytes(of: last, toByteOffset: count - 4, as: UInt32.self)
        } else {
            for index in 0..<count { room[index] = bytes[index] }
        }
    }

    /// A copy of the bytes.
    package static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        guard let start = data.data, data.len > 0 else { return [] }
        return [UInt8](UnsafeBufferPointer(start: start, count: data.len))
    }

    /// For a message that protobuf-c always gives, and did not.
    package static func missing(_ message: String) -> MessageError { .malformed(message: message) }

    /// How many entries of a map to make room for before they are read.
    ///
    /// Entries of two bytes can all have one key, so their number alone is no reason to take memory. So many fit into 16
    /// places, and most maps have no more; a larger one grows by what is in it.
    package static func capacity(_ count: Int) -> Int { min(count, 12) }

    /// The same for entries without messages, whose bytes are a reason: a place takes about twice the 16 asked for here.
    package static func capacity(_ count: Int, _ entries: UnsafePointer<ProtobufCBinaryData>?) -> Int {
        guard let entries, count > capacity(count) else { return count }
        let bytes = UnsafeBufferPointer(start: entries, count: count).reduce(0) { $0 + $1.len }
        return min(count, capacity(count) + bytes / 16)
    }

    /// The fields that the descriptor does not know, each with its tag, in wire order.
    package static func unknownFields(_ base: ProtobufCMessage) -> [UInt8] {
        guard let fields = base.unknown_fields, base.n_unknown_fields > 0 else { return [] }
        var result: [UInt8] = []
        for index in 0..<Int(base.n_unknown_fields) {
            let field = fields[index]
            // protobuf-c refuses number 0 only where it is written in one byte, as it would be by us.
            guard field.tag > 0 else { continue }
            result.append(varint: UInt64(field.tag) << 3 | UInt64(field.wire_type.rawValue))
            result += UnsafeBufferPointer(start: field.data, count: field.len)
        }
        return result
    }

    @inline(__always)
    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let high: UInt64 = 0x8080_8080_8080_8080
        guard bytes.count >= 8 else {
            var all: UInt8 = 0
            for byte in bytes { all |= byte }
            return all < 0x80
        }
        var next = start
        let last = start + bytes.count - 8
        while next < last {
            if next.loadUnaligned(as: UInt64.self) & high != 0 { return false }
            next += 8
        }
        // Some bytes are looked at twice, so that none is left over.
        return last.loadUnaligned(as: UInt64.self) & high == 0
    }
}

extension [UInt8] {
    mutating func append(varint value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(value))
    }
}
