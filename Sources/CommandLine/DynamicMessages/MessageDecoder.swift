// SPDX-License-Identifier: Apache-2.0
internal import Definitions
package import JSON

extension DefinitionPool {
    /// Most values in one message.
    package static let valueLimit = 1_000_000

    /// A message's JSON (the mapping of proto3), fields in the order of the definition.
    ///
    /// Fields that the definition does not know, or that have another wire type, are left out. What the mapping cannot
    /// express is shown as it is: a moment outside its years as seconds and nanoseconds, an `Any` of an unknown type with
    /// its bytes as `@value`.
    /// - Parameter emitsDefaults: Also fields without presence that have their default value.
    /// - Throws: `MappingError`, with the place in the message.
    package func json(
        of bytes: [UInt8],
        as type: String,
        emitsDefaults: Bool = false
    ) throws(MappingError) -> JSON {
        var decoder = MessageDecoder(pool: self, emitsDefaults: emitsDefaults)
        return try decoder.message(bytes[...], type, depth: 1)
    }
}

/// The wire format to JSON, without anything in between.
struct MessageDecoder {
    /// What arrived for one field, in wire order.
    typealias Values = [WireReader.Value]

    let pool: DefinitionPool
    let emitsDefaults: Bool
    private var valuesLeft = DefinitionPool.valueLimit

    init(pool: DefinitionPool, emitsDefaults: Bool) {
        self.pool = pool
        self.emitsDefaults = emitsDefaults
    }

    mutating func message(
        _ bytes: ArraySlice<UInt8>,
        _ type: String,
        depth: Int
    ) throws(MappingError) -> JSON {
        guard depth <= DefinitionPool.depthLimit else {
            throw MappingError(.tooDeep(limit: DefinitionPool.depthLimit))
        }
        if let known = WellKnownType(type) { return try wellKnown(bytes, known, depth: depth) }
        guard let layout = pool.layout(type) else { throw MappingError(.unknownType(type)) }
        let values = try values(bytes, layout)
        var object = JSON.Object()
        for field in layout.definition.fields {
            let found = values[field.number] ?? []
            object[field.jsonName] = try within(field.jsonName) { () throws(MappingError) in
                try json(found, field, depth: depth)
            }
        }
        return .object(object)
    }

    /// What a message has for each field; of a oneof's fields only the last.
    private mutating func values(
        _ bytes: ArraySlice<UInt8>,
        _ layout: MessageLayout
    ) throws(MappingError) -> [Int: Values] {
        var result: [Int: Values] = [:]
        var chosen: [Int: Int] = [:]
        var reader = WireReader(bytes)
        while let found = try Self.next(&reader) {
            guard let field = layout.field(number: found.number) else { continue }
            try count(1)
            if let oneof = field.oneof, let other = chosen.updateValue(field.number, forKey: oneof),
                other != field.number
            {
                result[other] = nil
            }
            result[field.number, default: []].append(found.value)
        }
        return result
    }

    /// The next field of a message.
    static func next(_ reader: inout WireReader) throws(MappingError) -> WireReader.Field? {
        do throws(WireError) { return try reader.next() } catch { throw MappingError(.malformed(error)) }
    }

    mutating func count(_ values: Int) throws(MappingError) {
        valuesLeft -= values
        guard valuesLeft >= 0 else { throw MappingError(.tooMany(limit: DefinitionPool.valueLimit)) }
    }

    // MARK: - Fields

    /// No JSON; a plain `nil` could be taken for `null`.
    private static let absent: JSON? = .none

    /// `absent` for a field that is left out.
    private mutating func json(
        _ values: Values,
        _ field: FieldDefinition,
        depth: Int
    ) throws(MappingError) -> JSON? {
        if let entry = pool.mapEntry(field) {
            let map = try map(values, entry.key, entry.value, depth: depth)
            return map.isEmpty && !emitsDefaults ? Self.absent : .object(map)
        }
        if field.isRepeated {
            let list = try list(values, field.kind, depth: depth)
            return list.isEmpty && !emitsDefaults ? Self.absent : .array(list)
        }
        if field.hasPresence { return try singular(values, field.kind, depth: depth) }
        guard let value = values.last(where: { $0.isOf(field.kind) }), !value.isDefault else {
            return emitsDefaults ? try defaultValue(of: field.kind) : Self.absent
        }
        return try json(value, field.kind, depth: depth)
    }

    /// The value that counts: a scalar's last; all of a message's, which are its parts.
    private mutating func singular(
        _ values: Values,
        _ kind: FieldDefinition.Kind,
        depth: Int
    ) throws(MappingError) -> JSON? {
        let values = values.filter { $0.isOf(kind) }
        guard kind.isMessage, values.count > 1 else {
            return try values.last.map { value throws(MappingError) in
                try json(value, kind, depth: depth)
            }
        }
        var whole: [UInt8] = []
        for case .bytes(let part) in values { whole += part }
        return try json(.bytes(whole[...]), kind, depth: depth)
    }

    private mutating func list(
        _ values: Values,
        _ kind: FieldDefinition.Kind,
        depth: Int
    ) throws(MappingError) -> [JSON] {
        var result: [JSON] = []
        for value in values {
            if value.isOf(kind) {
                result.append(
                    try within("[\(result.count)]") { () throws(MappingError) in
                        try json(value, kind, depth: depth)
                    }
                )
            } else if case .bytes(let packed) = value, kind.isNumeric {
                for element in try elements(of: packed, kind) {
                    result.append(try json(element, kind, depth: depth))
                }
            }
        }
        return result
    }

    private mutating func elements(
        of packed: ArraySlice<UInt8>,
        _ kind: FieldDefinition.Kind
    ) throws(MappingError) -> Values {
        var result: Values = []
        do throws(WireError) {
            var reader = WireReader(packed)
            while !reader.isAtEnd, result.count <= valuesLeft {
                switch kind.wireType {
                case .fixed64: result.append(.fixed64(try reader.fixed64()))
                case .fixed32: result.append(.fixed32(try reader.fixed32()))
                default: result.append(.varint(try reader.varint()))
                }
            }
        } catch {
            throw MappingError(.malformed(error))
        }
        try count(result.count)
        return result
    }

    private mutating func map(
        _ values: Values,
        _ key: FieldDefinition,
        _ value: FieldDefinition,
        depth: Int
    ) throws(MappingError) -> JSON.Object {
        var result = JSON.Object()
        for case .bytes(let bytes) in values {
            var keys: Values = []
            var contents: Values = []
            var reader = WireReader(bytes)
            while let found = try Self.next(&reader) {
                if found.number == 1 { keys.append(found.value) }
                if found.number == 2 { contents.append(found.value) }
            }
            let text = Self.key(try entryPart(keys, key.kind, depth: depth))
            result[text] = try within(text) { () throws(MappingError) in
                try entryPart(contents, value.kind, depth: depth)
            }
        }
        return result
    }

    /// A key or value, which is the default one where the entry has none.
    private mutating func entryPart(
        _ values: Values,
        _ kind: FieldDefinition.Kind,
        depth: Int
    ) throws(MappingError) -> JSON {
        if let found = try singular(values, kind, depth: depth) { return found }
        guard case .message(let type) = kind else { return try defaultValue(of: kind) }
        return try message([], type, depth: depth + 1)
    }

    private static func key(_ json: JSON) -> String {
        switch json {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        default: ""
        }
    }

    // MARK: - Values

    private mutating func json(
        _ value: WireReader.Value,
        _ kind: FieldDefinition.Kind,
        depth: Int
    ) throws(MappingError) -> JSON {
        switch (kind, value) {
        case (.message(let type), .bytes(let bytes)): return try message(bytes, type, depth: depth + 1)
        case (.enumeration(let type), .varint(let bits)):
            return enumeration(Int32(truncatingIfNeeded: bits), type)
        default: return try Scalar.json(value, as: kind) ?? .null
        }
    }

    /// By its first name; a number that has none, as it is.
    private func enumeration(_ number: Int32, _ type: String) -> JSON {
        if WellKnownType.isNullValue(.enumeration(type)), number == 0 { return .null }
        let value = pool.enumeration(type)?.values.first { $0.number == number }
        return value.map { .string($0.name) } ?? .integer(Int64(number))
    }

    private func defaultValue(of kind: FieldDefinition.Kind) throws(MappingError) -> JSON {
        switch kind {
        case .enumeration(let type): enumeration(0, type)
        case .message, .group: .object(JSON.Object())
        default: try Scalar.json(kind.zero, as: kind) ?? .null
        }
    }

}

extension FieldDefinition.Kind {
    /// Zero, or no bytes.
    var zero: WireReader.Value {
        switch wireType {
        case .varint: .varint(0)
        case .fixed64: .fixed64(0)
        case .fixed32: .fixed32(0)
        case .bytes, .group: .bytes([])
        }
    }
}

extension WireReader.Value {
    /// Whether it has the wire type of a kind.
    func isOf(_ kind: FieldDefinition.Kind) -> Bool {
        switch (self, kind.wireType) {
        case (.varint, .varint), (.fixed64, .fixed64), (.bytes, .bytes), (.fixed32, .fixed32): true
        default: false
        }
    }
}
