// SPDX-License-Identifier: Apache-2.0
internal import Definitions
package import JSON

extension DefinitionPool {
    /// Most messages within each other, in both directions; what other implementations allow too.
    package static let depthLimit = 100

    /// The bytes of a message from its JSON (the mapping of proto3), fields in the order of their numbers.
    ///
    /// A field goes by its JSON name or its own; one that is `null` is absent.
    /// - Throws: `MappingError`, with the place in the JSON.
    /// - Source: the JSON mapping of protobuf's language guide.
    package func serialize(_ json: JSON, as type: String) throws(MappingError) -> [UInt8] {
        try MessageEncoder(pool: self).message(json, type, depth: 1)
    }
}

/// JSON to the wire format, without anything in between.
struct MessageEncoder {
    let pool: DefinitionPool

    func message(_ json: JSON, _ type: String, depth: Int) throws(MappingError) -> [UInt8] {
        guard depth <= DefinitionPool.depthLimit else {
            throw MappingError(.tooDeep(limit: DefinitionPool.depthLimit))
        }
        if let known = WellKnownType(type) { return try wellKnown(json, known, depth: depth) }
        guard let layout = pool.layout(type) else { throw MappingError(.unknownType(type)) }
        guard case .object(let members) = json else { throw .expected("an object", json) }
        return try fields(members, layout, depth: depth)
    }

    private func fields(
        _ members: JSON.Object,
        _ layout: MessageLayout,
        depth: Int
    ) throws(MappingError) -> [UInt8] {
        var written: [(number: Int, bytes: [UInt8])] = []
        var given: Set<Int> = []
        var chosen: [Int: String] = [:]
        for (key, value) in members {
            guard let field = layout.field(named: key) else {
                let message = layout.definition
                let reason = MappingError.Reason.unknownField(
                    of: message.fullName,
                    known: message.fields.map(\.jsonName)
                )
                throw MappingError(reason, at: key)
            }
            guard given.insert(field.number).inserted else { throw MappingError(.givenTwice, at: key) }
            if value.isNull, field.isRepeated || !WellKnownType.hasNull(field.kind) { continue }
            if let oneof = field.oneof, let other = chosen.updateValue(key, forKey: oneof) {
                let name = layout.definition.oneofs[oneof].name
                throw MappingError(.chosenTwice(oneof: name, other: other), at: key)
            }
            let bytes = try within(key) { () throws(MappingError) in
                try self.field(value, field, depth: depth)
            }
            written.append((field.number, bytes))
        }
        return Array(written.sorted { $0.number < $1.number }.map(\.bytes).joined())
    }

    private func field(
        _ json: JSON,
        _ field: FieldDefinition,
        depth: Int
    ) throws(MappingError) -> [UInt8] {
        if let entry = pool.mapEntry(field) {
            return try map(json, field.number, entry.key, entry.value, depth: depth)
        }
        if field.isRepeated { return try list(json, field, depth: depth) }
        let value = try self.value(json, field.kind, depth: depth)
        var writer = WireWriter()
        if field.hasPresence || !value.isDefault { writer.append(value, field.number) }
        return writer.bytes
    }

    private func list(_ json: JSON, _ field: FieldDefinition, depth: Int) throws(MappingError) -> [UInt8] {
        guard case .array(let elements) = json else { throw .expected("an array", json) }
        var writer = WireWriter()
        var packed = WireWriter()
        for (index, element) in elements.enumerated() {
            let value = try within("[\(index)]") { () throws(MappingError) in
                try self.value(element, field.kind, depth: depth)
            }
            if field.isPacked { packed.appendPacked(value) } else { writer.append(value, field.number) }
        }
        if !packed.bytes.isEmpty { writer.bytes(field.number, packed.bytes) }
        return writer.bytes
    }

    private func map(
        _ json: JSON,
        _ number: Int,
        _ key: FieldDefinition,
        _ value: FieldDefinition,
        depth: Int
    ) throws(MappingError) -> [UInt8] {
        guard case .object(let members) = json else { throw .expected("an object", json) }
        var writer = WireWriter()
        for (name, member) in members {
            let entry = try within(name) { () throws(MappingError) -> WireWriter in
                var entry = WireWriter()
                entry.append(try Scalar.key(name, as: key.kind), 1)
                entry.append(try self.value(member, value.kind, depth: depth), 2)
                return entry
            }
            writer.bytes(number, entry.bytes)
        }
        return writer.bytes
    }

    /// One value of a kind: a field's, an element, or a map's.
    private func value(
        _ json: JSON,
        _ kind: FieldDefinition.Kind,
        depth: Int
    ) throws(MappingError) -> WireReader.Value {
        switch kind {
        case .message(let type): .bytes(try message(json, type, depth: depth + 1)[...])
        case .enumeration(let type): .varint(UInt64(bitPattern: Int64(try enumeration(json, type))))
        case .group: throw MappingError(.unsupported("groups"))
        default: try Scalar.value(json, as: kind)
        }
    }

    private func enumeration(_ json: JSON, _ type: String) throws(MappingError) -> Int32 {
        if WellKnownType.isNullValue(.enumeration(type)), json.isNull || json == "NULL_VALUE" { return 0 }
        guard case .string(let name) = json else { return try Scalar.integer(json, as: Int32.self) }
        guard let definition = pool.enumeration(type) else { throw MappingError(.unknownType(type)) }
        guard let value = definition.values.first(where: { $0.name == name }) else {
            throw MappingError(.unknownValue(name, of: type, known: definition.values.map(\.name)))
        }
        return value.number
    }
}
