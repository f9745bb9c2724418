// SPDX-License-Identifier: Apache-2.0
internal import Definitions
internal import JSON

/// The types of `google.protobuf` from their JSON.
extension MessageEncoder {
    func wellKnown(_ json: JSON, _ type: WellKnownType, depth: Int) throws(MappingError) -> [UInt8] {
        switch type {
        case .timestamp:
            return try moment(json, "a moment such as \"2026-11-23T15:00:00.5Z\"", TimestampText.moment)
        case .duration: return try moment(json, "a span such as \"1.5s\"", DurationText.span)
        case .fieldMask: return try fieldMask(json)
        case .empty:
            guard case .object(let members) = json else { throw .expected("an object", json) }
            if let key = members.keys.first {
                throw MappingError(.unknownField(of: "google.protobuf.Empty", known: []), at: key)
            }
            return []
        case .any: return try any(json, depth: depth)
        case .object: return try object(json, depth: depth)
        case .value: return try value(json, depth: depth)
        case .list: return try list(json, depth: depth)
        case .wrapper(let kind):
            var writer = WireWriter()
            let value = try Scalar.value(json, as: kind)
            if !value.isDefault { writer.append(value, 1) }
            return writer.bytes
        }
    }

    /// Seconds are field 1, nanoseconds field 2, of both types.
    private func moment(
        _ json: JSON,
        _ wanted: String,
        _ read: (String) -> Moment?
    ) throws(MappingError) -> [UInt8] {
        guard case .string(let text) = json, let moment = read(text) else { throw .expected(wanted, json) }
        var writer = WireWriter()
        if moment.seconds != 0 { writer.varint(1, UInt64(bitPattern: moment.seconds)) }
        if moment.nanos != 0 { writer.varint(2, UInt64(bitPattern: Int64(moment.nanos))) }
        return writer.bytes
    }

    private func fieldMask(_ json: JSON) throws(MappingError) -> [UInt8] {
        guard case .string(let text) = json, let paths = FieldMaskText.paths(text) else {
            throw .expected("paths such as \"name,user.displayName\"", json)
        }
        var writer = WireWriter()
        for path in paths { writer.text(1, path) }
        return writer.bytes
    }

    /// The type's URL is field 1, the message field 2.
    private func any(_ json: JSON, depth: Int) throws(MappingError) -> [UInt8] {
        guard case .object(var members) = json else { throw .expected("an object", json) }
        guard !members.isEmpty else { return [] }
        guard case .string(let url) = members["@type"] ?? .null else {
            throw MappingError.expected(
                "a type such as \"type.googleapis.com/google.protobuf.Empty\"",
                members["@type"] ?? .null
            ).within("@type")
        }
        members["@type"] = nil
        let name = url.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        var content = JSON.object(members)
        let isValue = WellKnownType(name)?.isValueInAny == true
        // `{"@type": …, "value": {}}` is the empty message too.
        if isValue || (WellKnownType(name) == .empty && members.keys == ["value"]) {
            if let other = members.keys.first(where: { $0 != "value" }) {
                throw MappingError(.unknownField(of: name, known: ["value"]), at: other)
            }
            content = members["value"] ?? .null
        }
        let bytes: [UInt8]
        if isValue {
            bytes = try within("value") { () throws(MappingError) in
                try message(content, name, depth: depth + 1)
            }
        } else {
            bytes = try message(content, name, depth: depth + 1)
        }
        var writer = WireWriter()
        writer.text(1, url)
        if !bytes.isEmpty { writer.bytes(2, bytes) }
        return writer.bytes
    }

    // MARK: - JSON within JSON

    /// A map of names and values, field 1.
    private func object(_ json: JSON, depth: Int) throws(MappingError) -> [UInt8] {
        guard case .object(let members) = json else { throw .expected("an object", json) }
        var writer = WireWriter()
        for (name, member) in members {
            var entry = WireWriter()
            entry.text(1, name)
            entry.bytes(
                2,
                try within(name) { () throws(MappingError) in
                    try message(member, "google.protobuf.Value", depth: depth + 1)
                }
            )
            writer.bytes(1, entry.bytes)
        }
        return writer.bytes
    }

    private func list(_ json: JSON, depth: Int) throws(MappingError) -> [UInt8] {
        guard case .array(let elements) = json else { throw .expected("an array", json) }
        var writer = WireWriter()
        for (index, element) in elements.enumerated() {
            writer.bytes(
                1,
                try within("[\(index)]") { () throws(MappingError) in
                    try message(element, "google.protobuf.Value", depth: depth + 1)
                }
            )
        }
        return writer.bytes
    }

    /// A oneof: null 1, number 2, string 3, boolean 4, object 5, list 6.
    private func value(_ json: JSON, depth: Int) throws(MappingError) -> [UInt8] {
        var writer = WireWriter()
        switch json {
        case .null: writer.varint(1, 0)
        case .integer(let number): writer.fixed64(2, Double(number).bitPattern)
        case .double(let number): writer.fixed64(2, number.bitPattern)
        case .string(let text): writer.text(3, text)
        case .bool(let flag): writer.varint(4, flag ? 1 : 0)
        case .object: writer.bytes(5, try message(json, "google.protobuf.Struct", depth: depth + 1))
        case .array: writer.bytes(6, try message(json, "google.protobuf.ListValue", depth: depth + 1))
        }
        return writer.bytes
    }
}
