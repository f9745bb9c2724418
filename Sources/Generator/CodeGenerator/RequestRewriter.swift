// SPDX-License-Identifier: Apache-2.0

/// Rewrites a request for protobuf-c's compiler into definitions with the same wire format, in a form that it and Swift
/// take well.
///
/// - `optional` becomes its synthetic oneof: the compiler refuses the flag.
/// - Strings become bytes: protobuf-c neither validates UTF-8 nor keeps what follows a NUL.
/// - Enums become integers, so that numbers from a newer peer need no conversion.
/// - Maps become the repeated entries that they are on the wire. One whose values are no messages is read without
///   protobuf-c, which would make a structure of each entry: its entries are bytes.
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
        try makeEntriesBytes(&message)
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

    private static func makeEntriesBytes(_ message: inout WireMessage) throws(GeneratorError) {
        var entries: Set<String> = []
        for nested in try message.messages(3) {
            let isEntry = try nested.messages(7).contains { $0.integer(7) == 1 }
            let isOfMessages = try nested.messages(2).contains { $0.integer(5) == 11 }
            if isEntry, !isOfMessages { entries.insert(nested.text(1)) }
        }
        guard !entries.isEmpty else { return }
        let others = try message.messages(3).filter { !entries.contains($0.text(1)) }
        message.remove(3)
        message.fields += others.map { .init(number: 3, value: .bytes($0.serialized())) }
        try message.rewrite(2) { (field) throws(GeneratorError) in
            // An entry's type is always nested in the message that has the map.
            guard field.integer(5) == 11, field.integer(4) == 3,
                let type = field.text(6).split(separator: ".").last, entries.contains(String(type))
            else { return }
            field.set(5, .varint(12))
            field.remove(6)
        }
    }

    private static func number(_ field: WireMessage) -> Int { Int(clamping: field.integer(3) ?? 0) }
}
