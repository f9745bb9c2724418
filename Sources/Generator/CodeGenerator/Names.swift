// SPDX-License-Identifier: Apache-2.0

/// How names of definitions are spelt in Swift and in the C code that protobuf-c's compiler makes.
enum Names {
    /// `petrel.engine.v1` → `EngineV1`, `grpc.health.v1` → `GrpcHealthV1`.
    static func namespace(package: String) -> String {
        var parts = package.split(separator: ".")
        if parts.count > 1, parts[0] == "petrel" { parts.removeFirst() }
        let name = parts.map { upperCamel($0) }.joined()
        return name.isEmpty ? "Unpackaged" : typeName(name)
    }

    /// `created_at` → `CreatedAt`.
    static func upperCamel(_ name: some StringProtocol) -> String {
        name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// `created_at` → `createdAt`, `CloseStdin` → `closeStdin`.
    static func lowerCamel(_ name: some StringProtocol) -> String {
        let upper = upperCamel(name)
        return upper.prefix(1).lowercased() + upper.dropFirst()
    }

    /// A name as a declaration or a member needs it.
    static func escaped(_ name: String) -> String {
        if let first = name.first, first.isNumber { return "_" + name }
        return keywords.contains(name) ? "`\(name)`" : name
    }

    /// A type's name: one that cannot be declared, or would hide a type that generated code uses, ends in `_`.
    static func typeName(_ name: String) -> String {
        reservedTypes.contains(name) ? name + "_" : escaped(name)
    }

    /// A property's name: one that the generated type has already ends in `_`.
    static func property(_ name: String) -> String {
        let name = lowerCamel(name)
        return reservedProperties.contains(name) ? name + "_" : escaped(name)
    }

    /// A service's method: `self` is the service.
    static func method(_ name: String) -> String {
        let name = lowerCamel(name)
        return name == "self" ? name + "_" : escaped(name)
    }

    /// An escaped name as an argument's label: only one keyword needs escaping there.
    static func label(_ name: String) -> String {
        let bare = name.filter { $0 != "`" }
        return bare == "inout" ? name : bare
    }

    /// `RESTART_MODE_ON_FAILURE` of enum `RestartMode` → `onFailure`; a name that the generated type has already ends
    /// in `_`.
    static func enumCase(_ value: String, in enumeration: String) -> String {
        let prefix = lowerSnake(enumeration).uppercased() + "_"
        let bare =
            value.hasPrefix(prefix) && value.count > prefix.count ? value.dropFirst(prefix.count) : value[...]
        let name = lowerCamel(bare.lowercased())
        return reservedValues.contains(name) ? name + "_" : escaped(name)
    }

    /// `HelloReply` → `hello_reply`; runs of capitals stay together, as protobuf-c has it.
    static func lowerSnake(_ name: some StringProtocol) -> String {
        var result = ""
        var afterUpper = true
        for character in name {
            if character.isUppercase, !afterUpper { result += "_" }
            result += character.lowercased()
            afterUpper = character.isUppercase
        }
        return result
    }

    /// The C structure of a message: `Petrel__Engine__V1__Event`.
    static func cType(_ fullName: String) -> String {
        fullName.split(separator: ".").map { upperCamel($0) }.joined(separator: "__")
    }

    /// The prefix of its functions: `petrel__engine__v1__event`.
    static func cPrefix(_ fullName: String) -> String {
        fullName.split(separator: ".").map { lowerSnake($0) }.joined(separator: "__")
    }

    /// The C member of a field: keywords of C and C++ and likely macros get another name in the C definitions.
    static func cField(_ name: String) -> String {
        let name = name.lowercased()
        return cReserved.contains(name) ? name + "_field" : name
    }

    private static let cReserved: Set<String> = [
        "alignas", "alignof", "and", "asm", "assert", "auto", "base", "bitand", "bitor", "bool", "break",
        "case",
        "catch", "char", "class", "compl", "const", "constexpr", "continue", "decltype", "default", "delete",
        "do",
        "double", "else", "enum", "errno", "explicit", "export", "extern", "false", "float", "for", "friend",
        "goto",
        "if", "init", "inline", "int", "linux", "long", "mutable", "namespace", "new", "noexcept", "not",
        "nullptr",
        "operator", "or", "private", "protected", "public", "register", "restrict", "return", "self", "short",
        "signed", "sizeof", "static", "stderr", "stdin", "stdout", "struct", "switch", "template", "this",
        "throw",
        "true", "try", "typedef", "typeid", "typename", "union", "unix", "unsigned", "using", "virtual",
        "void",
        "volatile", "while", "xor",
    ]

    private static let reservedTypes: Set<String> = [
        "Bool", "Boxed", "BridgedMessage", "WireReader", "CustomStringConvertible", "Double", "Float",
        "Hashable",
        "Int32",
        "Int64", "MessageDescriptor", "MessageError", "Protocol", "RawRepresentable", "Self", "Sendable",
        "String", "Type",
        "UInt32",
        "UInt64", "UInt8", "UnsafeMutablePointer", "UnsafePointer", "UnpackedMessage", "UnsafeBufferPointer",
        "Void", "Wire",
        "WireWriter",
    ]

    private static let reservedProperties: Set<String> = ["hashValue", "self", "serialized", "unknownFields"]

    private static let reservedValues: Set<String> = ["description", "hashValue", "rawValue"]

    private static let keywords: Set<String> = [
        "Any", "as", "associatedtype", "await", "break", "case", "catch", "class", "continue", "default",
        "defer",
        "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func",
        "guard",
        "if", "import", "in", "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup",
        "private", "protocol", "public", "repeat", "rethrows", "return", "self", "static", "struct",
        "subscript",
        "super", "switch", "throw", "throws", "true", "try", "typealias", "var", "where", "while",
    ]
}
