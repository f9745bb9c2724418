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

/// The fields of one message, in wire order.
struct WireFields {
    private let fields: [WireReader.Field]

    init(_ fields: [WireReader.Field]) { self.fields = fields }

    /// One field 1, for a value that has no message of its own.
    init(_ values: [ArraySlice<UInt8>]) { fields = values.map { .init(number: 1, value: .bytes($0)) } }

    func all(_ number: Int) -> [ArraySlice<UInt8>] {
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

    func integer(_ number: Int) -> UInt64? {
        for field in fields.reversed() where field.number == number {
            if case .varint(let value) = field.value { return value }
        }
        return nil
    }

    func flag(_ number: Int) -> Bool { integer(number) ?? 0 != 0 }

    func text(_ number: Int, of element: String) throws(DefinitionError) -> String? {
        guard let bytes = bytes(number) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .badName(of: element) }
        return text
    }

    /// A name, perhaps with points between its parts; a leading one, which says that the name is a full one, is left out.
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
}

/// The comments of a file by the path of what they stand before, as `SourceCodeInfo` has them.
struct DefinitionComments {
    private var byPath: [[Int32]: String] = [:]

    init(_ bytes: ArraySlice<UInt8>) throws(DefinitionError) {
        do throws(WireError) {
            var reader = WireReader(bytes)
            while let field = try reader.next() {
                if field.number == 1, case .bytes(let location) = field.value { try add(location) }
            }
        } catch {
            throw .malformed(error)
        }
    }

    subscript(path: [Int32]) -> String { byPath[path] ?? "" }

    private mutating func add(_ location: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(location)
        var packed: ArraySlice<UInt8> = []
        var comment: ArraySlice<UInt8> = []
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let bytes)): packed = bytes
            case (3, .bytes(let bytes)): comment = bytes
            default: break
            }
        }
        // Comments are for people: what is nothing for them, or for nothing here, is passed over.
        let longestPath = 2 * FileDefinition.depthLimit + 2
        guard !comment.isEmpty, byPath.count < FileDefinition.elementLimit, packed.count <= longestPath * 5
        else { return }
        var path: [Int32] = []
        var numbers = WireReader(packed)
        while !numbers.isAtEnd { path.append(Int32(truncatingIfNeeded: try numbers.varint())) }
        byPath[path] = Self.cleaned(comment)
    }

    /// Lines without the space that follows `//`, without control characters, and without empty ones at the end.
    private static func cleaned(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let shown = String(
                String.UnicodeScalarView(
                    line.unicodeScalars.filter { $0.properties.generalCategory != .control }
                )
            )
            return shown.hasPrefix(" ") ? String(shown.dropFirst()) : shown
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
