// SPDX-License-Identifier: Apache-2.0
internal import Definitions
internal import JSON

/// The types of `google.protobuf` as their JSON.
extension MessageDecoder {
    mutating func wellKnown(
        _ bytes: ArraySlice<UInt8>,
        _ type: WellKnownType,
        depth: Int
    ) throws(MappingError) -> JSON {
        switch type {
        case .timestamp:
            let moment = try moment(bytes)
            return TimestampText.text(moment).map(JSON.string) ?? Self.fields(of: moment)
        case .duration:
            let span = try moment(bytes)
            return DurationText.text(span).map(JSON.string) ?? Self.fields(of: span)
        case .fieldMask: return try fieldMask(bytes)
        case .empty:
            _ = try fields(bytes)
            return .object(JSON.Object())
        case .any: return try any(bytes, depth: depth)
        case .object: return try object(bytes, depth: depth)
        case .list: return try list(bytes, depth: depth)
        case .value: return try value(bytes, depth: depth)
        case .wrapper(let kind):
            let values = try fields(bytes).filter { $0.number == 1 && $0.value.isOf(kind) }
            return try Scalar.json(values.last?.value ?? kind.zero, as: kind) ?? .null
        }
    }

    private mutating func fields(_ bytes: ArraySlice<UInt8>) throws(MappingError) -> [WireReader.Field] {
        var reader = WireReader(bytes)
        var result: [WireReader.Field] = []
        while let field = try Self.next(&reader) {
            try count(1)
            result.append(field)
        }
        return result
    }

    // MARK: - Time and masks

    private mutating func moment(_ bytes: ArraySlice<UInt8>) throws(MappingError) -> Moment {
        var moment = Moment(seconds: 0, nanos: 0)
        for field in try fields(bytes) {
            guard case .varint(let bits) = field.value else { continue }
            if field.number == 1 { moment.seconds = Int64(bitPattern: bits) }
            if field.number == 2 { moment.nanos = Int32(truncatingIfNeeded: bits) }
        }
        return moment
    }

    private static func fields(of moment: Moment) -> JSON {
        ["seconds": .string(String(moment.seconds)), "nanos": .integer(Int64(moment.nanos))]
    }

    private mutating func fieldMask(_ bytes: ArraySlice<UInt8>) throws(MappingError) -> JSON {
        var paths: [String] = []
        for field in try fields(bytes) {
            if field.number == 1, case .bytes(let path) = field.value { paths.append(try Scalar.text(path)) }
        }
        return FieldMaskText.text(paths).map(JSON.string) ?? ["paths": .array(paths.map(JSON.string))]
    }

    // MARK: - Messages of any type

    private mutating func any(_ bytes: ArraySlice<UInt8>, depth: Int) throws(MappingError) -> JSON {
        var url = ""
        var content: ArraySlice<UInt8> = []
        for field in try fields(bytes) {
            guard case .bytes(let value) = field.value else { continue }
            if field.number == 1 { url = try Scalar.text(value) }
            if field.number == 2 { content = value }
        }
        if url.isEmpty, content.isEmpty { return .object(JSON.Object()) }
        var object = JSON.Object([("@type", .string(url))])
        let name = url.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        let known = WellKnownType(name)
        guard known != nil || pool.layout(name) != nil else {
            object["@value"] = .string(Base64Text.text(content))
            return .object(object)
        }
        let json = try message(content, name, depth: depth + 1)
        if known?.isValueInAny != true, case .object(let members) = json {
            for (key, value) in members { object[key] = value }
        } else {
            object["value"] = json
        }
        return .object(object)
    }

    // MARK: - JSON within JSON

    private mutating func object(_ bytes: ArraySlice<UInt8>, depth: Int) throws(MappingError) -> JSON {
        var object = JSON.Object()
        for field in try fields(bytes) {
            guard field.number == 1, case .bytes(let entry) = field.value else { continue }
            var name = ""
            var content: ArraySlice<UInt8> = []
            for part in try fields(entry) {
                guard case .bytes(let bytes) = part.value else { continue }
                if part.number == 1 { name = try Scalar.text(bytes) }
                if part.number == 2 { content = bytes }
            }
            object[name] = try within(name) { () throws(MappingError) in
                try message(content, "google.protobuf.Value", depth: depth + 1)
            }
        }
        return .object(object)
    }

    private mutating func list(_ bytes: ArraySlice<UInt8>, depth: Int) throws(MappingError) -> JSON {
        var elements: [JSON] = []
        for field in try fields(bytes) {
            guard field.number == 1, case .bytes(let element) = field.value else { continue }
            elements.append(
                try within("[\(elements.count)]") { () throws(MappingError) in
                    try message(element, "google.protobuf.Value", depth: depth + 1)
                }
            )
        }
        return .array(elements)
    }

    /// Without any field it is `null`; of several the last counts.
    private mutating func value(_ bytes: ArraySlice<UInt8>, depth: Int) throws(MappingError) -> JSON {
        var result = JSON.null
        for field in try fields(bytes) {
            switch (field.number, field.value) {
            case (1, .varint): result = .null
            case (2, .fixed64(let bits)): result = Scalar.json(Double(bitPattern: bits))
            case (3, .bytes(let text)): result = .string(try Scalar.text(text))
            case (4, .varint(let bits)): result = .bool(bits != 0)
            case (5, .bytes(let object)):
                result = try message(object, "google.protobuf.Struct", depth: depth + 1)
            case (6, .bytes(let list)):
                result = try message(list, "google.protobuf.ListValue", depth: depth + 1)
            default: break
            }
        }
        return result
    }
}
