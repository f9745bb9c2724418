// SPDX-License-Identifier: Apache-2.0

/// The comments of a file by the path of what they stand at, as `SourceCodeInfo` has them.
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
        // Before the element, and after it on its line.
        var (leading, trailing): (ArraySlice<UInt8>, ArraySlice<UInt8>) = ([], [])
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let bytes)): packed = bytes
            case (3, .bytes(let bytes)): leading = bytes
            case (4, .bytes(let bytes)): trailing = bytes
            default: break
            }
        }
        // Comments are for people: what is nothing for them, or for nothing here, is passed over.
        let longestPath = 2 * FileDefinition.depthLimit + 2
        guard byPath.count < FileDefinition.elementLimit, packed.count <= longestPath * 5 else { return }
        let parts = [leading, trailing].map(Self.cleaned).filter { !$0.isEmpty }
        guard !parts.isEmpty else { return }
        var path: [Int32] = []
        var numbers = WireReader(packed)
        while !numbers.isAtEnd { path.append(Int32(truncatingIfNeeded: try numbers.varint())) }
        byPath[path] = parts.joined(separator: "\n\n")
    }

    /// Without control characters, blank lines at either end, and the indentation that all lines share.
    private static func cleaned(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            Substring(line.filter { $0.properties.generalCategory != .control })
        }
        let isBlank = { (line: Substring) in line.allSatisfy(\.isWhitespace) }
        lines = Array(lines.drop(while: isBlank))
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        let indents = lines.filter { !isBlank($0) }.map { line in line.prefix { $0 == " " }.count }
        let shared = indents.min() ?? 0
        return lines.map { isBlank($0) ? "" : $0.dropFirst(shared) }.joined(separator: "\n")
    }
}
