// SPDX-License-Identifier: Apache-2.0
internal import CJansson

extension JSON {
    /// Parses a whole text.
    ///
    /// The text may come from anybody: size and depth are checked before the parser, which recurses, sees it.
    /// Integers beyond 64 bits become doubles. A string may hold NUL; whoever hands it to the kernel must look.
    /// - Parameters:
    ///   - maximumDepth: Deepest nesting of arrays and objects.
    ///   - maximumSize: In bytes.
    /// - Throws: `JSONError` with the place: syntax, text after the value, a key twice in one object, not UTF-8,
    ///   too deep, too large, a number without a type.
    package init(
        parsing text: [UInt8],
        maximumDepth: Int = 64,
        maximumSize: Int = 16 << 20
    ) throws(JSONError) {
        guard text.count <= maximumSize else {
            throw JSONError(.tooLarge(limitBytes: maximumSize), offset: maximumSize, line: 1)
        }
        var scan = Scan()
        try scan.check(text, maximumDepth: maximumDepth)
        let input = scan.marked(text)
        var report = json_error_t()
        let flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL
        let root = input.withUnsafeBytes {
            json_loadb($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, Int(flags), &report)
        }
        guard let root else { throw JSONError(report, longIntegers: scan.longIntegers, count: text.count) }
        defer { json_decref(root) }
        guard let value = JSON(root) else { throw JSONError(.duplicateKey, offset: 0, line: 1) }
        self = value
    }

    /// nil when an object has two keys that differ in bytes but are the same text.
    private init?(_ value: UnsafeMutablePointer<json_t>) {
        switch value.pointee.type {
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        case JSON_INTEGER: self = .integer(Int64(json_integer_value(value)))
        case JSON_REAL: self = .double(json_real_value(value))
        case JSON_STRING: self = .string(JSON.text(json_string_value(value), json_string_length(value)))
        case JSON_ARRAY:
            var elements: [JSON] = []
            elements.reserveCapacity(json_array_size(value))
            for index in 0..<json_array_size(value) {
                guard let element = json_array_get(value, index), let converted = JSON(element) else {
                    return nil
                }
                elements.append(converted)
            }
            self = .array(elements)
        case JSON_OBJECT:
            var object = Object()
            object.reserveCapacity(json_object_size(value))
            var position = json_object_iter(value)
            while let member = position {
                let key = JSON.text(json_object_iter_key(member), json_object_iter_key_len(member))
                guard let raw = json_object_iter_value(member), let converted = JSON(raw),
                    object.add(key, converted)
                else {
                    return nil
                }
                position = json_object_iter_next(value, member)
            }
            self = .object(object)
        default: self = .null
        }
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

/// One pass before the parser: bounds the depth, and finds the integers that Jansson would refuse.
private struct Scan {
    /// Offsets of the ends of integers beyond 64 bits.
    var longIntegers: [Int] = []

    mutating func check(_ text: [UInt8], maximumDepth: Int) throws(JSONError) {
        var depth = 0
        var line = 1
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""):
                index = endOfString(text, from: index + 1)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= maximumDepth else {
                    throw JSONError(.tooDeep(limit: maximumDepth), offset: index, line: line)
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                index = endOfNumber(text, from: index)
                continue
            default: break
            }
            index += 1
        }
    }

    private func endOfString(_ text: [UInt8], from start: Int) -> Int {
        var index = start
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return index
    }

    private mutating func endOfNumber(_ text: [UInt8], from start: Int) -> Int {
        var index = start
        var isInteger = true
        loop: while index < text.count {
            switch text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "-") where index == start: break
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                isInteger = false
            default: break loop
            }
            index += 1
        }
        if isInteger, index - start >= 19, Int64(String(decoding: text[start..<index], as: UTF8.self)) == nil
        {
            longIntegers.append(index)
        }
        return index
    }

    /// The text with long integers made reals by `.0`, which is what the parser can hold.
    func marked(_ text: [UInt8]) -> [UInt8] {
        guard !longIntegers.isEmpty else { return text }
        var result: [UInt8] = []
        var done = 0
        for end in longIntegers {
            result += text[done..<end] + Array(".0".utf8)
            done = end
        }
        return result + text[done...]
    }
}

extension JSONError {
    fileprivate init(_ report: json_error_t, longIntegers: [Int], count: Int) {
        var offset = max(0, Int(report.position))
        for (index, end) in longIntegers.enumerated() where end + 2 * (index + 1) <= offset { offset -= 2 }
        var copy = report
        let text = withUnsafeBytes(of: &copy.text) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        // The last byte of the text is the error code (json_error_code, which takes a pointer to the whole).
        let reason: Reason =
            switch json_error_code(&copy) {
            case json_error_duplicate_key: .duplicateKey
            case json_error_invalid_utf8: .encoding
            case json_error_numeric_overflow: .numberRange
            default: .syntax(text)
            }
        self.init(reason, offset: min(offset, count), line: max(1, Int(report.line)))
    }
}
