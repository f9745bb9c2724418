// SPDX-License-Identifier: Apache-2.0
package import CMessages

/// Swift values of protobuf-c's: what generated code calls when it decodes.
package enum Wire {
    /// - Throws: `.invalidText` when the bytes are not UTF-8.
    package static func text(
        _ data: ProtobufCBinaryData,
        _ field: @autoclosure () -> String
    ) throws(MessageError) -> String {
        guard let start = data.data, data.len > 0 else { return "" }
        let bytes = UnsafeBufferPointer(start: start, count: data.len)
        // Most text is ASCII, and finding that out is much cheaper than validating.
        if isASCII(UnsafeRawBufferPointer(bytes)) { return String(decoding: bytes, as: UTF8.self) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidText(field: field()) }
        return text
    }

    /// A copy of the bytes.
    package static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        guard let start = data.data, data.len > 0 else { return [] }
        return [UInt8](UnsafeBufferPointer(start: start, count: data.len))
    }

    /// The message, or nil when it is absent.
    package static func message<M: BridgedMessage>(
        _ c: UnsafeMutablePointer<M.Bridge>?
    ) throws(MessageError) -> M? {
        guard let c else { return nil }
        return try M(decoding: c)
    }

    /// A message that is present: an element, or a oneof's choice.
    package static func element<M: BridgedMessage>(_ c: UnsafeMutablePointer<M.Bridge>?) throws(MessageError)
        -> M
    {
        guard let c else { throw .malformed(message: M.fullName) }
        return try M(decoding: c)
    }

    /// A repeated field.
    package static func array<C, Value>(
        _ count: Int,
        _ values: UnsafeMutablePointer<C>?,
        _ decode: (C) throws(MessageError) -> Value
    ) throws(MessageError) -> [Value] {
        guard let values, count > 0 else { return [] }
        var result: [Value] = []
        result.reserveCapacity(count)
        for index in 0..<count { result.append(try decode(values[index])) }
        return result
    }

    /// A repeated field whose elements cannot be wrong.
    package static func array<C, Value>(
        _ count: Int,
        _ values: UnsafeMutablePointer<C>?,
        _ decode: (C) -> Value
    ) -> [Value] {
        guard let values, count > 0 else { return [] }
        return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer.initializeElement(at: index, to: decode(values[index])) }
            initialized = count
        }
    }

    /// A map; the last entry of a key counts.
    package static func map<Entry, Key, Value>(
        _ count: Int,
        _ entries: UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>?,
        _ decode: (UnsafeMutablePointer<Entry>) throws(MessageError) -> (Key, Value)
    ) throws(MessageError) -> [Key: Value] {
        guard let entries, count > 0 else { return [:] }
        var result: [Key: Value] = [:]
        result.reserveCapacity(count)
        for index in 0..<count {
            guard let entry = entries[index] else { continue }
            let (key, value) = try decode(entry)
            result[key] = value
        }
        return result
    }

    /// The fields that the descriptor does not know, each with its tag, in wire order.
    package static func unknownFields(_ base: ProtobufCMessage) -> [UInt8] {
        guard let fields = base.unknown_fields, base.n_unknown_fields > 0 else { return [] }
        var result: [UInt8] = []
        for index in 0..<Int(base.n_unknown_fields) {
            let field = fields[index]
            // protobuf-c refuses number 0 only where it is written in one byte, as it would be by us.
            guard field.tag > 0 else { continue }
            var tag = UInt64(field.tag) << 3 | UInt64(field.wire_type.rawValue)
            while tag >= 0x80 {
                result.append(UInt8(truncatingIfNeeded: tag) | 0x80)
                tag >>= 7
            }
            result.append(UInt8(tag))
            result += UnsafeBufferPointer(start: field.data, count: field.len)
        }
        return result
    }

    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return false }
            offset += 8
        }
        while offset < bytes.count {
            if bytes[offset] >= 0x80 { return false }
            offset += 1
        }
        return true
    }
}
