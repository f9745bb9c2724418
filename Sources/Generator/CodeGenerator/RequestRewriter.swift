// SPDX-License-Identifier: Apache-2.0

/// Rewrites a request for protobuf-c's compiler into definitions with the same wire format, in a form that it and Swift
/// take well.
///
/// - `optional` becomes its synthetic oneof: the compiler refuses the flag.
/// - Strings become bytes: protobuf-c neither validates UTF-8 nor keeps what follows a NUL.
/// - Enums become integers, so that numbers from a newer peer need no conversion.
/// - Floating-point numbers become their bits: protobuf-c takes -0 for 0, and would leave it out.
/// - Maps become the repeated entries that they are on the wire.
/// - Comments, services and enums, which the Swift code has, are left out.
/// - Names that C reserves, or that would clash there, are changed (see `CMembers`).
enum RequestRewriter {
    static func rewrite(_ request: [UInt8]) throws(GeneratorError) -> [UInt8] {
        var wire = try WireMessage(request)
        try Proto3.check(wire)
        wire.remove(2)
        try wire.rewrite(15) { (file) throws(GeneratorError) in
            file.remove(5)
            file.remove(6)
            file.remove(9)
            try file.rewrite(4) { (message) throws(GeneratorError) in try rewrite(message: &message) }
        }
        return wire.serialized()
    }

    private static func rewrite(message: inout WireMessage) throws(GeneratorError) {
        message.remove(4)
        message.remove(7)
        try message.rewrite(3) { (nested) throws(GeneratorError) in try rewrite(message: &nested) }
        let members = CMembers(
            fields: try message.messages(2).map {
                .init(name: $0.text(1), number: number($0), isRepeated: $0.integer(4) == 3)
            },
            oneofs: try message.messages(8).map { $0.text(1) }
        )
        try message.rewrite(2) { (field) throws(GeneratorError) in
            field.set(1, .bytes(Array(members.field(number(field)).utf8)))
            field.remove(10)
            field.remove(17)
            switch field.integer(5) {
            case 1: field.set(5, .varint(6))
            case 2: field.set(5, .varint(7))
            case 9: field.set(5, .varint(12))
            case 14:
                field.set(5, .varint(5))
                field.remove(6)
            default: break
            }
        }
        var index = 0
        try message.rewrite(8) { (oneof) throws(GeneratorError) in
            oneof.set(1, .bytes(Array(members.oneof(index).utf8)))
            index += 1
        }
    }

    private static func number(_ field: WireMessage) -> Int { Int(clamping: field.integer(3) ?? 0) }
}
