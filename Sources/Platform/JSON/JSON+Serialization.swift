// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The value as UTF-8 text; the same value gives the same bytes.
    ///
    /// A double that JSON cannot express (infinite, not a number) becomes `null`.
    /// - Parameter pretty: Four spaces of indentation and a line for each member.
    package func serialized(pretty: Bool = false) -> [UInt8] {
        var writer = Writer(pretty: pretty)
        writer.write(self, indentation: 0)
        return writer.bytes
    }

    /// `serialized(pretty:)` as a string.
    package func serializedText(pretty: Bool = false) -> String {
        String(decoding: serialized(pretty: pretty), as: UTF8.self)
    }
}

private struct Writer {
    let pretty: Bool
    var bytes: [UInt8] = []

    mutating func write(_ value: JSON, indentation: Int) {
        switch value {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .integer(let value): bytes += String(value).utf8
        case .double(let value): bytes += (value.isFinite ? "\(value)" : "null").utf8
        case .string(let value): write(value)
        case .array(let elements):
            list(UInt8(ascii: "["), UInt8(ascii: "]"), elements, count: elements.count, indentation) {
                writer,
                element in
                writer.write(element, indentation: indentation + 1)
            }
        case .object(let members):
            list(UInt8(ascii: "{"), UInt8(ascii: "}"), members, count: members.count, indentation) {
                writer,
                member in
                writer.write(member.key)
                writer.bytes += (writer.pretty ? ": " : ":").utf8
                writer.write(member.value, indentation: indentation + 1)
            }
        }
    }

    private mutating func list<Elements: Sequence>(
        _ opening: UInt8,
        _ closing: UInt8,
        _ elements: Elements,
        count: Int,
        _ indentation: Int,
        _ body: (inout Writer, Elements.Element) -> Void
    ) {
        bytes.append(opening)
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            newLine(indentation + 1)
            body(&self, element)
        }
        if count > 0 { newLine(indentation) }
        bytes.append(closing)
    }

    private mutating func newLine(_ indentation: Int) {
        guard pretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes += Array(repeating: UInt8(ascii: " "), count: 4 * indentation)
    }

    private mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        var text = text
        text.withUTF8 { write($0) }
    }

    private mutating func write(_ text: UnsafeBufferPointer<UInt8>) {
        // Mostly all of it, and at once.
        let plainCount = text.firstIndex { !Writer.isPlain($0) } ?? text.count
        bytes.append(contentsOf: text[..<plainCount])
        for byte in text[plainCount...] {
            switch byte {
            case UInt8(ascii: "\""): bytes += "\\\"".utf8
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\r"): bytes += "\\r".utf8
            case UInt8(ascii: "\t"): bytes += "\\t".utf8
            case 0..<0x20, 0x7f:
                bytes += "\\u00".utf8
                bytes += [Writer.digit(byte >> 4), Writer.digit(byte & 15)]
            default: bytes.append(byte)
            }
        }
    }

    /// It stands for itself in a string.
    @inline(__always) private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
