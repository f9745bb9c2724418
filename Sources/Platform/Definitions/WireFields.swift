// SPDX-License-Identifier: Apache-2.0

/// How many fields may still be read.
struct FieldBudget {
    private var left = FileDefinition.elementLimit

    /// All fields of one message.
    mutating func fields(_ bytes: ArraySlice<UInt8>) throws(DefinitionError) -> WireFields {
        var reader = WireReader(bytes)
        var fields: [WireReader.Field] = []
        do throws(WireError) {
            while let field = try reader.next() {
                left -= 1
                if left < 0 { break }
                fields.append(field)
            }
        } catch {
            throw .malformed(error)
        }
        guard left >= 0 else { throw .tooManyElements(limit: FileDefinition.elementLimit) }
        return WireFields(fields)
    }
}

/// The fields of one message, in wire order: to read them, and to change some and write the others as they were.
package struct WireFields: Hashable, Sendable {
    private var fields: [WireReader.Field]

    package init(_ fields: [WireReader.Field] = []) { self.fields = fields }

    /// Every field but groups.
    package init(reading bytes: ArraySlice<UInt8>) throws(WireError) {
        fields = []
        var reader = WireReader(bytes)
        while let field = try reader.next() { fields.append(field) }
    }

    /// One field 1, for a value that has no message of its own.
    init(_ values: [ArraySlice<UInt8>]) { fields = values.map { .init(number: 1, value: .bytes($0)) } }

    package func serialized() -> [UInt8] {
        var writer = WireWriter()
        for field in fields { writer.append(field.value, field.number) }
        return writer.bytes
    }

    // MARK: - Reading

    /// The values of a field that are text, bytes or messages.
    package func all(_ number: Int) -> [ArraySlice<UInt8>] {
        fields.compactMap { field in
            if field.number == number, case .bytes(let bytes) = field.value { bytes } else { nil }
        }
    }

    /// The last one counts, here and below.
    func bytes(_ number: Int) -> ArraySlice<UInt8>? {
        for field in fields.reversed() where field.number == number {
            if case .bytes(let bytes) = field.value { return bytes }
        }
        return nil
    }

    package func integer(_ number: Int) -> UInt64? {
        for field in fields.reversed() where field.number == number {
            if case .varint(let value) = field.value { return value }
        }
        return nil
    }

    func flag(_ number: Int) -> Bool { integer(number) ?? 0 != 0 }

    /// Nil where there is none.
    /// - Throws: `.badName` for what is not UTF-8.
    package func text(_ number: Int, of element: String) throws(DefinitionError) -> String? {
        guard let bytes = bytes(number) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .badName(of: element) }
        return text
    }

    /// A name, perhaps with points between its parts; a leading one, which says that it is a full name, is left out.
    func name(_ number: Int, of element: String, isOptional: Bool = false) throws(DefinitionError) -> String {
        let bytes = bytes(number) ?? []
        if bytes.isEmpty, isOptional { return "" }
        let name = bytes.first == UInt8(ascii: ".") ? bytes.dropFirst() : bytes
        let parts = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.isLetter) }) else {
            throw .badName(of: element)
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// Text without control characters; nil where there is none.
    func line(_ number: Int, of element: String) throws(DefinitionError) -> String? {
        guard let text = try text(number, of: element), !text.isEmpty else { return nil }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw .badName(of: element)
        }
        return text
    }

    func fileName(_ number: Int) throws(DefinitionError) -> String {
        guard let name = try line(number, of: "file") else { throw .badName(of: "file") }
        return name
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: - Changing

    package mutating func append(_ number: Int, _ value: WireReader.Value) {
        fields.append(.init(number: number, value: value))
    }

    package mutating func remove(_ number: Int) { fields.removeAll { $0.number == number } }

    /// Puts one value, at the end, in the place of all that the field has.
    package mutating func set(_ number: Int, _ value: WireReader.Value) {
        remove(number)
        append(number, value)
    }

    /// Replaces each message in a field by what `change`, which is told how many came before, makes of it; nil leaves
    /// it out.
    package mutating func rewrite(
        _ number: Int,
        _ change: (WireFields, Int) throws(WireError) -> WireFields?
    ) throws(WireError) {
        var result: [WireReader.Field] = []
        var count = 0
        for field in fields {
            guard field.number == number, case .bytes(let bytes) = field.value else {
                result.append(field)
                continue
            }
            if let changed = try change(WireFields(reading: bytes), count) {
                result.append(.init(number: number, value: .bytes(changed.serialized()[...])))
            }
            count += 1
        }
        fields = result
    }
}
