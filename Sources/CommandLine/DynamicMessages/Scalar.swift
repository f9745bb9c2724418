// SPDX-License-Identifier: Apache-2.0
internal import Definitions
internal import JSON

/// Numbers, booleans and strings of messages, from JSON and to it.
enum Scalar {
    /// 2⁶³: whole numbers from here on are `.double` in JSON, and perhaps rounded.
    private static let integerLimit = 9_223_372_036_854_775_808.0

    // MARK: - From JSON

    /// - Throws: `.expected`.
    static func value(_ json: JSON, as kind: FieldDefinition.Kind) throws(MappingError) -> WireReader.Value {
        switch kind {
        case .double: return .fixed64(try double(json).bitPattern)
        case .float: return .fixed32(try float(json).bitPattern)
        case .int32: return .varint(UInt64(bitPattern: Int64(try integer(json, as: Int32.self))))
        case .int64: return .varint(UInt64(bitPattern: try integer(json, as: Int64.self)))
        case .uint32: return .varint(UInt64(try integer(json, as: UInt32.self)))
        case .uint64: return .varint(try integer(json, as: UInt64.self))
        case .sint32: return .varint(zigzag(Int64(try integer(json, as: Int32.self))))
        case .sint64: return .varint(zigzag(try integer(json, as: Int64.self)))
        case .fixed32: return .fixed32(try integer(json, as: UInt32.self))
        case .fixed64: return .fixed64(try integer(json, as: UInt64.self))
        case .sfixed32: return .fixed32(UInt32(bitPattern: try integer(json, as: Int32.self)))
        case .sfixed64: return .fixed64(UInt64(bitPattern: try integer(json, as: Int64.self)))
        case .bool:
            guard case .bool(let flag) = json else { throw .expected("true or false", json) }
            return .varint(flag ? 1 : 0)
        case .string:
            guard case .string(let text) = json else { throw .expected("a string", json) }
            return .bytes(Array(text.utf8)[...])
        case .bytes:
            guard case .string(let text) = json, let bytes = Base64Text.bytes(text) else {
                throw .expected("a string of base64", json)
            }
            return .bytes(bytes[...])
        case .enumeration, .message, .group: throw .expected("a scalar", json)
        }
    }

    /// A map's key, which JSON has as a string.
    static func key(_ text: String, as kind: FieldDefinition.Kind) throws(MappingError) -> WireReader.Value {
        guard kind == .bool else { return try value(.string(text), as: kind) }
        guard text == "true" || text == "false" else { throw .expected("true or false", .string(text)) }
        return .varint(text == "true" ? 1 : 0)
    }

    static func integer<Number: FixedWidthInteger>(
        _ json: JSON,
        as type: Number.Type
    ) throws(MappingError) -> Number {
        let whole: Int128? =
            switch json {
            case .integer(let number): Int128(number)
            case .double(let number): exactly(number)
            case .string(let text): integer(text)
            default: nil
            }
        guard let whole, let number = Number(exactly: whole) else {
            let hint = Number.max > Int64.max ? ", in quotes above \(Int64.max)" : ""
            throw .expected("a whole number from \(Number.min) to \(Number.max)\(hint)", json)
        }
        return number
    }

    /// `12`, and also `1.2e1`.
    private static func integer(_ text: String) -> Int128? {
        guard isNumber(text) else { return nil }
        return Int128(text) ?? Double(text).flatMap(exactly)
    }

    /// nil for what is no whole number, or may be another one than the text had.
    private static func exactly(_ number: Double) -> Int128? {
        abs(number) < integerLimit ? Int128(exactly: number) : nil
    }

    private static func double(_ json: JSON) throws(MappingError) -> Double {
        switch json {
        case .integer(let number): return Double(number)
        case .double(let number): return number
        case .string("NaN"): return .nan
        case .string("Infinity"): return .infinity
        case .string("-Infinity"): return -.infinity
        case .string(let text):
            if isNumber(text), let number = Double(text), number.isFinite { return number }
        default: break
        }
        throw .expected("a number, \"NaN\", \"Infinity\" or \"-Infinity\"", json)
    }

    private static func float(_ json: JSON) throws(MappingError) -> Float {
        let wide = try double(json)
        let number = Float(wide)
        guard number.isFinite || !wide.isFinite else {
            throw .expected("a number within ±\(Float.greatestFiniteMagnitude)", json)
        }
        return number
    }

    /// Whether a text is a number by JSON's grammar: no plus sign, no leading zeros, digits on both sides of a point.
    private static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text).utf8
        func digits() -> Int {
            let count = rest.prefix { 0x30...0x39 ~= $0 }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let hasLeadingZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole >= 1, whole == 1 || !hasLeadingZero, text.utf8.count <= 400 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() >= 1 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() >= 1 else { return false }
        }
        return rest.isEmpty
    }

    private static func zigzag(_ number: Int64) -> UInt64 {
        UInt64(bitPattern: number << 1) ^ UInt64(bitPattern: number >> 63)
    }

    // MARK: - To JSON

    /// - Parameter value: Of the kind's own wire type, else nil.
    static func json(
        _ value: WireReader.Value,
        as kind: FieldDefinition.Kind
    ) throws(MappingError) -> JSON? {
        switch (kind, value) {
        case (.double, .fixed64(let bits)): json(Double(bitPattern: bits))
        case (.float, .fixed32(let bits)): json(Float(bitPattern: bits))
        case (.int32, .varint(let bits)): .integer(Int64(Int32(truncatingIfNeeded: bits)))
        case (.int64, .varint(let bits)): .string(String(Int64(bitPattern: bits)))
        case (.uint32, .varint(let bits)): .integer(Int64(UInt32(truncatingIfNeeded: bits)))
        case (.uint64, .varint(let bits)), (.fixed64, .fixed64(let bits)): .string(String(bits))
        case (.sint32, .varint(let bits)): .integer(unzigzag(UInt64(UInt32(truncatingIfNeeded: bits))))
        case (.sint64, .varint(let bits)): .string(String(unzigzag(bits)))
        case (.fixed32, .fixed32(let bits)): .integer(Int64(bits))
        case (.sfixed32, .fixed32(let bits)): .integer(Int64(Int32(bitPattern: bits)))
        case (.sfixed64, .fixed64(let bits)): .string(String(Int64(bitPattern: bits)))
        case (.bool, .varint(let bits)): .bool(bits != 0)
        case (.string, .bytes(let bytes)): .string(try text(bytes))
        case (.bytes, .bytes(let bytes)): .string(Base64Text.text(bytes))
        default: nil
        }
    }

    static func text(_ bytes: ArraySlice<UInt8>) throws(MappingError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw MappingError(.notText) }
        return text
    }

    static func json(_ number: Double) -> JSON {
        number.isFinite ? .double(number) : .string(name(number.isNaN, number < 0))
    }

    /// With as few digits as tell it from its neighbours, which are fewer than a `Double` of the same value has.
    private static func json(_ number: Float) -> JSON {
        number.isFinite
            ? .double(Double("\(number)") ?? Double(number)) : .string(name(number.isNaN, number < 0))
    }

    private static func name(_ isNaN: Bool, _ isNegative: Bool) -> String {
        isNaN ? "NaN" : isNegative ? "-Infinity" : "Infinity"
    }

    private static func unzigzag(_ bits: UInt64) -> Int64 {
        Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }
}

extension WireReader.Value {
    /// What a field without presence does not write.
    var isDefault: Bool {
        switch self {
        case .varint(let bits), .fixed64(let bits): bits == 0
        case .fixed32(let bits): bits == 0
        case .bytes(let bytes): bytes.isEmpty
        }
    }
}

extension WireWriter {
    /// Without a tag.
    mutating func appendPacked(_ value: WireReader.Value) {
        switch value {
        case .varint(let bits): append(varint: bits)
        case .fixed64(let bits): append(fixed64: bits)
        case .fixed32(let bits): append(fixed32: bits)
        case .bytes: break
        }
    }
}
