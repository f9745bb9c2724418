// SPDX-License-Identifier: Apache-2.0

/// What protobuf's descriptor.proto says of a definition file, as far as it is used here.
struct FileDefinition {
    let name: String
    let package: String
    /// What stands at the package statement.
    let comment: String
    let imports: [String]
    let messages: [MessageDefinition]
    let enums: [EnumDefinition]
    let services: [ServiceDefinition]

    init(_ wire: WireMessage) throws(GeneratorError) {
        name = wire.text(1)
        package = wire.text(2)
        imports = wire.texts(3)
        let comments = try Comments(wire)
        comment = comments[[2]]
        let prefix = package.isEmpty ? "" : package + "."
        var messages: [MessageDefinition] = []
        for (index, message) in try wire.messages(4).enumerated() {
            messages.append(try MessageDefinition(message, in: prefix, comments, [4, index]))
        }
        self.messages = messages
        var enums: [EnumDefinition] = []
        for (index, definition) in try wire.messages(5).enumerated() {
            enums.append(try EnumDefinition(definition, in: prefix, comments, [5, index]))
        }
        self.enums = enums
        var services: [ServiceDefinition] = []
        for (index, service) in try wire.messages(6).enumerated() {
            services.append(try ServiceDefinition(service, in: prefix, comments, [6, index]))
        }
        self.services = services
    }
}

struct MessageDefinition {
    let name: String
    let fullName: String
    let comment: String
    let fields: [FieldDefinition]
    let messages: [MessageDefinition]
    let enums: [EnumDefinition]
    let oneofs: [(name: String, comment: String)]
    let isMapEntry: Bool

    init(_ wire: WireMessage, in prefix: String, _ comments: Comments, _ path: [Int]) throws(GeneratorError) {
        name = wire.text(1)
        fullName = prefix + name
        comment = comments[path]
        isMapEntry = try wire.messages(7).contains { $0.integer(7) == 1 }
        var oneofs: [(name: String, comment: String)] = []
        for (index, oneof) in try wire.messages(8).enumerated() {
            oneofs.append((oneof.text(1), comments[path + [8, index]]))
        }
        self.oneofs = oneofs
        var fields: [FieldDefinition] = []
        for (index, field) in try wire.messages(2).enumerated() {
            fields.append(try FieldDefinition(field, of: fullName, comment: comments[path + [2, index]]))
        }
        self.fields = fields
        var messages: [MessageDefinition] = []
        for (index, message) in try wire.messages(3).enumerated() {
            messages.append(try MessageDefinition(message, in: fullName + ".", comments, path + [3, index]))
        }
        self.messages = messages
        var enums: [EnumDefinition] = []
        for (index, definition) in try wire.messages(4).enumerated() {
            enums.append(try EnumDefinition(definition, in: fullName + ".", comments, path + [4, index]))
        }
        self.enums = enums
    }
}

struct FieldDefinition {
    enum Kind: Equatable {
        case double, float, int32, int64, uint32, uint64, bool, string, bytes
        case message(String)
        case enumeration(String)
    }

    /// How a value is on the wire; the raw value is the tag's lowest bits.
    enum Encoding: Int {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    let name: String
    let number: Int
    let kind: Kind
    let encoding: Encoding
    /// Whether the number is folded so that small negative ones are short.
    let isZigzag: Bool
    /// Whether a repeated field's values share one tag.
    let isPacked: Bool
    let isRepeated: Bool
    /// Its oneof's index in the message, synthetic ones included.
    let oneof: Int?
    /// Declared `optional`: its oneof is synthetic.
    let isOptional: Bool
    let comment: String

    init(_ wire: WireMessage, of message: String, comment: String) throws(GeneratorError) {
        name = wire.text(1)
        number = Int(clamping: wire.integer(3) ?? 0)
        isRepeated = wire.integer(4) == 3
        isOptional = wire.integer(17) == 1
        oneof = wire.integer(9).map { Int(clamping: $0) }
        self.comment = comment
        let type = String(wire.text(6).drop { $0 == "." })
        kind =
            switch wire.integer(5) {
            case 1: .double
            case 2: .float
            case 3, 16, 18: .int64
            case 4, 6: .uint64
            case 5, 15, 17: .int32
            case 7, 13: .uint32
            case 8: .bool
            case 9: .string
            case 11: .message(type)
            case 12: .bytes
            case 14: .enumeration(type)
            default: throw .malformed("\(message).\(name) has no type that is known")
            }
        encoding =
            switch wire.integer(5) {
            case 1, 6, 16: .fixed64
            case 2, 7, 15: .fixed32
            case 9, 11, 12: .lengthDelimited
            default: .varint
            }
        isZigzag = wire.integer(5) == 17 || wire.integer(5) == 18
        let isDeclaredUnpacked = try wire.messages(8).contains { $0.integer(2) == 0 }
        isPacked = isRepeated && encoding != .lengthDelimited && !isDeclaredUnpacked
    }
}

struct EnumDefinition {
    let name: String
    let fullName: String
    let comment: String
    let values: [(name: String, number: Int32, comment: String)]

    init(_ wire: WireMessage, in prefix: String, _ comments: Comments, _ path: [Int]) throws(GeneratorError) {
        name = wire.text(1)
        fullName = prefix + name
        comment = comments[path]
        var values: [(name: String, number: Int32, comment: String)] = []
        for (index, value) in try wire.messages(2).enumerated() {
            let number = Int32(truncatingIfNeeded: value.integer(2) ?? 0)
            values.append((value.text(1), number, comments[path + [2, index]]))
        }
        self.values = values
    }
}

struct ServiceDefinition {
    struct Method {
        let name: String
        let input: String
        let output: String
        let clientStreams: Bool
        let serverStreams: Bool
        /// Its definition says that it may be called twice (`idempotency_level`).
        let isIdempotent: Bool
        let comment: String
    }

    let name: String
    let fullName: String
    let comment: String
    let methods: [Method]

    init(_ wire: WireMessage, in prefix: String, _ comments: Comments, _ path: [Int]) throws(GeneratorError) {
        name = wire.text(1)
        fullName = prefix + name
        comment = comments[path]
        var methods: [Method] = []
        for (index, method) in try wire.messages(2).enumerated() {
            methods.append(
                Method(
                    name: method.text(1),
                    input: String(method.text(2).drop { $0 == "." }),
                    output: String(method.text(3).drop { $0 == "." }),
                    clientStreams: method.integer(5) == 1,
                    serverStreams: method.integer(6) == 1,
                    isIdempotent: try method.messages(4).contains { ($0.integer(34) ?? 0) > 0 },
                    comment: comments[path + [2, index]]
                )
            )
        }
        self.methods = methods
    }
}

/// The comments of a definition file by the path of what they stand at.
struct Comments {
    private var byPath: [[Int]: String] = [:]

    init(_ file: WireMessage) throws(GeneratorError) {
        for info in try file.messages(9) {
            for location in try info.messages(1) {
                // Before the element, and after it on its line.
                let parts = [location.text(3), location.text(4)].map(Self.trimmed).filter { !$0.isEmpty }
                guard !parts.isEmpty else { continue }
                byPath[try location.integers(1)] = parts.joined(separator: "\n\n")
            }
        }
    }

    subscript(path: [Int]) -> String { byPath[path] ?? "" }

    /// Without blank lines at either end, and without the indentation that all lines share.
    private static func trimmed(_ comment: String) -> String {
        var lines = comment.split(separator: "\n", omittingEmptySubsequences: false)
        let isBlank = { (line: Substring) in line.allSatisfy(\.isWhitespace) }
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        while let first = lines.first, isBlank(first) { lines.removeFirst() }
        let indents = lines.filter { !isBlank($0) }.map { line in line.prefix { $0 == " " }.count }
        let shared = indents.min() ?? 0
        return lines.map { isBlank($0) ? "" : String($0.dropFirst(shared)) }.joined(separator: "\n")
    }
}
