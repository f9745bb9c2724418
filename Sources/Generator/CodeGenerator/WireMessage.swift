// SPDX-License-Identifier: Apache-2.0

/// A protobuf message as its bare fields, in wire order: enough to read descriptors, and to change some and write the
/// rest back untouched.
struct WireMessage {
    enum Value {
        case varint(UInt64)
        case fixed64([UInt8])
        case bytes([UInt8])
        case fixed32([UInt8])
    }

    struct Field {
        var number: Int
        var value: Value
    }

    var fields: [Field] = []

    init() {}

    /// - Throws: `.malformed` for what is not a protobuf message, groups included.
    init(_ bytes: some Collection<UInt8>) throws(GeneratorError) {
        var reader = WireReader(bytes: Array(bytes))
        while !reader.isAtEnd {
            let tag = try reader.varint()
            let value: Value
            switch tag & 7 {
            case 0: value = .varint(try reader.varint())
            case 1: value = .fixed64(try reader.bytes(8))
            case 2: value = .bytes(try reader.bytes(Int(clamping: try reader.varint())))
            case 5: value = .fixed32(try reader.bytes(4))
            default: throw .malformed("wire type \(tag & 7)")
            }
            fields.append(Field(number: Int(clamping: tag >> 3), value: value))
        }
    }

    func serialized() -> [UInt8] {
        var result: [UInt8] = []
        for field in fields {
            let number = UInt64(field.number) << 3
            switch field.value {
            case .varint(let value):
                result.appendVarint(number)
                result.appendVarint(value)
            case .fixed64(let bytes):
                result.appendVarint(number | 1)
                result += bytes
            case .bytes(let bytes):
                result.appendVarint(number | 2)
                result.appendVarint(UInt64(bytes.count))
                result += bytes
            case .fixed32(let bytes):
                result.appendVarint(number | 5)
                result += bytes
            }
        }
        return result
    }

    // MARK: - Reading

    func integer(_ number: Int) -> UInt64? {
        for case .varint(let value) in values(number).reversed() { return value }
        return nil
    }

    func text(_ number: Int) -> String {
        for case .bytes(let bytes) in values(number).reversed() {
            return String(decoding: bytes, as: UTF8.self)
        }
        return ""
    }

    func texts(_ number: Int) -> [String] { payloads(number).map { String(decoding: $0, as: UTF8.self) } }

    func messages(_ number: Int) throws(GeneratorError) -> [WireMessage] {
        var result: [WireMessage] = []
        for payload in payloads(number) { result.append(try WireMessage(payload)) }
        return result
    }

    /// A packed or unpacked repeated integer.
    func integers(_ number: Int) throws(GeneratorError) -> [Int] {
        var result: [Int] = []
        for value in values(number) {
            switch value {
            case .varint(let value): result.append(Int(clamping: value))
            case .bytes(let bytes):
                var reader = WireReader(bytes: bytes)
                while !reader.isAtEnd { result.append(Int(clamping: try reader.varint())) }
            default: break
            }
        }
        return result
    }

    private func values(_ number: Int) -> [Value] { fields.filter { $0.number == number }.map(\.value) }

    private func payloads(_ number: Int) -> [[UInt8]] {
        values(number).compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } }
    }

    // MARK: - Changing

    mutating func remove(_ number: Int) { fields.removeAll { $0.number == number } }

    mutating func set(_ number: Int, _ value: Value) {
        remove(number)
        fields.append(Field(number: number, value: value))
    }

    mutating func append(_ number: Int, _ text: String) {
        fields.append(Field(number: number, value: .bytes(Array(text.utf8))))
    }

    /// Replaces each message in field `number` by what `change` makes of it.
    mutating func rewrite(
        _ number: Int,
        _ change: (inout WireMessage) throws(GeneratorError) -> Void
    ) throws(GeneratorError) {
        for index in fields.indices where fields[index].number == number {
            guard case .bytes(let bytes) = fields[index].value else { continue }
            var message = try WireMessage(bytes)
            try change(&message)
            fields[index].value = .bytes(message.serialized())
        }
    }
}

private struct WireReader {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    mutating func varint() throws(GeneratorError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 70 {
            let byte = bytes[position]
            position += 1
            if shift < 64 { result |= UInt64(byte & 0x7f) << shift }
            if byte < 0x80 { return result }
            shift += 7
        }
        throw .malformed("varint")
    }

    mutating func bytes(_ count: Int) throws(GeneratorError) -> [UInt8] {
        guard count <= bytes.count - position else { throw .malformed("length") }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }
}

extension [UInt8] {
    fileprivate mutating func appendVarint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(value))
    }
}
