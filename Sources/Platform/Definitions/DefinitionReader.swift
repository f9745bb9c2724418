// SPDX-License-Identifier: Apache-2.0

extension FileDefinition {
    /// The largest definition file that is read, in bytes.
    package static let sizeLimit = 4 << 20
    /// Most fields on the wire of all that a file declares; bounds what a hostile one costs in memory.
    package static let elementLimit = 200_000
    /// Most messages defined within each other.
    package static let depthLimit = 32

    /// Reads a `FileDescriptorProto`, which may come from anybody. What it refers to need not exist.
    /// - Throws: `DefinitionError`; nothing is read in part.
    /// - Source: descriptor.proto of protobuf.
    package init(serialized bytes: [UInt8]) throws(DefinitionError) {
        guard bytes.count <= Self.sizeLimit else { throw .tooLarge(limitBytes: Self.sizeLimit) }
        var reader = DefinitionReader()
        self = try reader.file(bytes[...])
    }
}

/// Turns the messages of descriptor.proto into definitions.
struct DefinitionReader {
    private var budget = FieldBudget()
    private var comments: DefinitionComments?
    private var syntax = FileDefinition.Syntax.proto2

    mutating func file(_ bytes: ArraySlice<UInt8>) throws(DefinitionError) -> FileDefinition {
        let wire = try budget.fields(bytes)
        let name = try wire.fileName(1)
        let package = try wire.name(2, of: "package", isOptional: true)
        syntax =
            switch wire.bytes(12).map(Array.init) {
            case Array("proto3".utf8): .proto3
            case Array("editions".utf8): .edition
            default: .proto2
            }
        if let information = wire.bytes(9) { comments = try DefinitionComments(information) }
        var file = FileDefinition(name: name, package: package, comment: comment([2]), syntax: syntax)
        for dependency in wire.all(3) {
            file.dependencies.append(try WireFields([dependency]).fileName(1))
        }
        let scope = package.isEmpty ? "" : package + "."
        for (index, message) in wire.all(4).enumerated() {
            file.messages.append(try self.message(message, scope, [4, Int32(index)], depth: 1))
        }
        for (index, definition) in wire.all(5).enumerated() {
            file.enums.append(try enumeration(definition, scope, [5, Int32(index)]))
        }
        for (index, service) in wire.all(6).enumerated() {
            file.services.append(try self.service(service, scope, [6, Int32(index)]))
        }
        for (index, field) in wire.all(7).enumerated() {
            file.extensions.append(try self.field(field, scope, [7, Int32(index)]))
        }
        return file
    }

    // MARK: - Messages

    private mutating func message(
        _ bytes: ArraySlice<UInt8>,
        _ scope: String,
        _ path: [Int32],
        depth: Int
    ) throws(DefinitionError) -> MessageDefinition {
        guard depth <= FileDefinition.depthLimit else { throw .tooDeep(limit: FileDefinition.depthLimit) }
        let wire = try budget.fields(bytes)
        let name = try wire.name(1, of: "message")
        var message = MessageDefinition(name: name, fullName: scope + name, comment: comment(path))
        let inner = message.fullName + "."
        if let options = wire.bytes(7) {
            let options = try budget.fields(options)
            message.isDeprecated = options.flag(3)
            message.isMapEntry = options.flag(7)
        }
        for (index, oneof) in wire.all(8).enumerated() {
            let name = try budget.fields(oneof).name(1, of: "oneof")
            message.oneofs.append(.init(name: name, comment: comment(path + [8, Int32(index)])))
        }
        for (index, field) in wire.all(2).enumerated() {
            message.fields.append(try self.field(field, inner, path + [2, Int32(index)], of: message))
        }
        for (index, nested) in wire.all(3).enumerated() {
            let path = path + [3, Int32(index)]
            message.messages.append(try self.message(nested, inner, path, depth: depth + 1))
        }
        for (index, definition) in wire.all(4).enumerated() {
            message.enums.append(try enumeration(definition, inner, path + [4, Int32(index)]))
        }
        for (index, field) in wire.all(6).enumerated() {
            message.extensions.append(try self.field(field, inner, path + [6, Int32(index)]))
        }
        message.extensionRanges = try ranges(wire.all(5), of: message.fullName)
        message.reservedRanges = try ranges(wire.all(9), of: message.fullName)
        for name in wire.all(10) {
            message.reservedNames.append(try WireFields([name]).name(1, of: "reserved field"))
        }
        return message
    }

    private mutating func ranges(
        _ wire: [ArraySlice<UInt8>],
        of message: String
    ) throws(DefinitionError) -> [ClosedRange<Int>] {
        var result: [ClosedRange<Int>] = []
        for range in wire {
            let range = try budget.fields(range)
            // The end is the first number behind the range.
            let (start, end) = (Int(clamping: range.integer(1) ?? 0), Int(clamping: range.integer(2) ?? 0))
            guard start >= 1, start < end else { throw .badNumber(of: message) }
            result.append(start...(end - 1))
        }
        return result
    }

    /// - Parameter message: The one that it is a field of; nil for an extension.
    private mutating func field(
        _ bytes: ArraySlice<UInt8>,
        _ scope: String,
        _ path: [Int32],
        of message: MessageDefinition? = nil
    ) throws(DefinitionError) -> FieldDefinition {
        let wire = try budget.fields(bytes)
        let name = try wire.name(1, of: "field")
        let fullName = scope + name
        guard let number = wire.integer(3).flatMap({ Int(exactly: $0) }),
            1...WireReader.largestNumber ~= number
        else { throw .badNumber(of: fullName) }
        var field = FieldDefinition(
            name: name,
            fullName: fullName,
            jsonName: try wire.line(10, of: "field") ?? FieldDefinition.jsonName(name),
            number: number,
            kind: try kind(wire, fullName),
            comment: comment(path)
        )
        field.label =
            switch wire.integer(4) {
            case 2: .required
            case 3: .repeated
            default: .singular
            }
        field.extendee = try wire.name(2, of: "extension", isOptional: true)
        field.defaultValue = try wire.text(7, of: "field")
        let options = try wire.bytes(8).map { bytes throws(DefinitionError) in try budget.fields(bytes) }
        field.isDeprecated = options?.flag(3) ?? false
        field.isPacked =
            field.isRepeated && field.kind.isNumeric
            && (options?.integer(2).map { $0 != 0 } ?? (syntax != .proto2))
        if let index = wire.integer(9) {
            guard let message, index < UInt64(message.oneofs.count) else { throw .badNumber(of: fullName) }
            if wire.flag(17) { field.syntheticOneof = Int(index) } else { field.oneof = Int(index) }
        }
        field.isOptional =
            wire.flag(17) || (syntax == .proto2 && field.label == .singular && field.oneof == nil)
        field.hasPresence =
            !field.isRepeated
            && (field.isOptional || field.oneof != nil || field.kind.isMessage || syntax != .proto3)
        return field
    }

    private func kind(_ wire: WireFields, _ field: String) throws(DefinitionError) -> FieldDefinition.Kind {
        switch wire.integer(5) {
        case 1: .double
        case 2: .float
        case 3: .int64
        case 4: .uint64
        case 5: .int32
        case 6: .fixed64
        case 7: .fixed32
        case 8: .bool
        case 9: .string
        case 10: .group(try wire.name(6, of: "type"))
        case 11: .message(try wire.name(6, of: "type"))
        case 12: .bytes
        case 13: .uint32
        case 14: .enumeration(try wire.name(6, of: "type"))
        case 15: .sfixed32
        case 16: .sfixed64
        case 17: .sint32
        case 18: .sint64
        default: throw .badType(of: field)
        }
    }

    // MARK: - Enums and services

    private mutating func enumeration(
        _ bytes: ArraySlice<UInt8>,
        _ scope: String,
        _ path: [Int32]
    ) throws(DefinitionError) -> EnumDefinition {
        let wire = try budget.fields(bytes)
        let name = try wire.name(1, of: "enum")
        var definition = EnumDefinition(name: name, fullName: scope + name, comment: comment(path))
        for (index, value) in wire.all(2).enumerated() {
            let value = try budget.fields(value)
            definition.values.append(
                .init(
                    name: try value.name(1, of: "value"),
                    number: Int32(truncatingIfNeeded: value.integer(2) ?? 0),
                    comment: comment(path + [2, Int32(index)])
                )
            )
        }
        return definition
    }

    private mutating func service(
        _ bytes: ArraySlice<UInt8>,
        _ scope: String,
        _ path: [Int32]
    ) throws(DefinitionError) -> ServiceDefinition {
        let wire = try budget.fields(bytes)
        let name = try wire.name(1, of: "service")
        var service = ServiceDefinition(name: name, fullName: scope + name, comment: comment(path))
        for (index, method) in wire.all(2).enumerated() {
            service.methods.append(
                try self.method(method, service.fullName + ".", path + [2, Int32(index)])
            )
        }
        return service
    }

    private mutating func method(
        _ bytes: ArraySlice<UInt8>,
        _ scope: String,
        _ path: [Int32]
    ) throws(DefinitionError) -> ServiceDefinition.Method {
        let wire = try budget.fields(bytes)
        let name = try wire.name(1, of: "method")
        var method = ServiceDefinition.Method(
            name: name,
            fullName: scope + name,
            input: try wire.name(2, of: "type"),
            output: try wire.name(3, of: "type"),
            clientStreams: wire.flag(5),
            serverStreams: wire.flag(6),
            comment: comment(path)
        )
        guard let options = wire.bytes(4) else { return method }
        let wireOptions = try budget.fields(options)
        method.isDeprecated = wireOptions.flag(33)
        method.idempotency =
            switch wireOptions.integer(34) {
            case 1: .noSideEffects
            case 2: .idempotent
            default: .unknown
            }
        return method
    }

    private func comment(_ path: [Int32]) -> String { comments?[path] ?? "" }
}

extension FieldDefinition {
    /// `wall_unix_nanos` is `wallUnixNanos`.
    package static func jsonName(_ name: String) -> String {
        var result = ""
        var isAfterUnderscore = false
        for letter in name {
            if letter == "_" {
                isAfterUnderscore = true
            } else {
                result += isAfterUnderscore ? letter.uppercased() : String(letter)
                isAfterUnderscore = false
            }
        }
        return result
    }
}

extension FieldDefinition.Kind {
    /// Written as a varint or with a fixed size: what a packed list can hold.
    package var isNumeric: Bool { wireType != .bytes && wireType != .group }

    /// How a value is on the wire; the raw value is the lowest bits of the tag, for a group that of its start.
    package enum WireType: Int, Sendable {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case group = 3
        case fixed32 = 5
    }

    package var wireType: WireType {
        switch self {
        case .double, .fixed64, .sfixed64: .fixed64
        case .float, .fixed32, .sfixed32: .fixed32
        case .string, .bytes, .message: .bytes
        case .group: .group
        case .int32, .sint32, .int64, .sint64, .uint32, .uint64, .bool, .enumeration: .varint
        }
    }

    package var isMessage: Bool {
        switch self {
        case .message, .group: true
        default: false
        }
    }
}
