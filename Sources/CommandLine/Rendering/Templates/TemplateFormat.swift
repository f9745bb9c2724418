// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// What `printf` of templates understands: `%s %v %d %q %t %x %X %o %b %f %c %%`, with `-`, `0`, `+`, width and precision.
///
/// Source followed: Go's fmt.
enum TemplateFormat {
    private struct Verb {
        var isLeft = false
        var isZeroed = false
        var isSigned = false
        var width = 0
        var precision: Int?
        var letter: Character = "v"
    }

    static func text(_ format: String, _ arguments: [JSON?]) throws(TemplateProblem) -> String {
        var result = ""
        var rest = format[...]
        var left = arguments[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            let verb = try verb(&rest)
            if verb.letter == "%" {
                result += "%"
                continue
            }
            guard let value = left.popFirst() else {
                throw TemplateProblem("printf \"\(format)\" has too few values")
            }
            result += padded(try shown(value, verb), verb)
        }
        guard left.isEmpty else {
            throw TemplateProblem("printf \"\(format)\" has \(left.count) values too many")
        }
        return result
    }

    private static func verb(_ rest: inout Substring) throws(TemplateProblem) -> Verb {
        var verb = Verb()
        while let flag = rest.first, "-0+# ".contains(flag) {
            rest = rest.dropFirst()
            if flag == "-" { verb.isLeft = true }
            if flag == "0" { verb.isZeroed = true }
            if flag == "+" { verb.isSigned = true }
        }
        verb.width = try number(&rest) ?? 0
        if rest.first == "." {
            rest = rest.dropFirst()
            verb.precision = try number(&rest) ?? 0
        }
        guard let letter = rest.popFirst() else { throw TemplateProblem("printf's format ends with '%'") }
        verb.letter = letter
        return verb
    }

    private static func number(_ rest: inout Substring) throws(TemplateProblem) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        guard !digits.isEmpty else { return nil }
        guard let number = Int(digits), number <= 1000 else {
            throw TemplateProblem("a width of \(digits) in printf is more than 1000")
        }
        return number
    }

    private static func shown(_ value: JSON?, _ verb: Verb) throws(TemplateProblem) -> String {
        func wrong() -> TemplateProblem {
            TemplateProblem("printf's %\(verb.letter) does not fit \(TemplateFunctions.kind(value))")
        }
        switch verb.letter {
        case "v", "s":
            let text = TemplateFunctions.text(value)
            return verb.precision.map { String(text.prefix($0)) } ?? text
        case "q":
            return String(decoding: JSON.string(TemplateFunctions.text(value)).serialized(), as: UTF8.self)
        case "t":
            guard let flag = value?.bool else { throw wrong() }
            return String(flag)
        case "d", "o", "b", "x", "X", "c":
            if verb.letter.lowercased() == "x", let text = value?.string {
                let hex = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                return verb.letter == "x" ? hex : hex.uppercased()
            }
            guard let number = value?.integer else { throw wrong() }
            return try integer(number, verb)
        case "f":
            guard let number = value?.double else { throw wrong() }
            return (verb.isSigned && number >= 0 ? "+" : "") + fixed(number, verb.precision ?? 6)
        default: throw TemplateProblem("printf's %\(verb.letter) is not supported")
        }
    }

    private static func integer(_ number: Int64, _ verb: Verb) throws(TemplateProblem) -> String {
        switch verb.letter {
        case "o": return String(number, radix: 8)
        case "b": return String(number, radix: 2)
        case "x": return String(number, radix: 16)
        case "X": return String(number, radix: 16, uppercase: true)
        case "c":
            guard let value = UInt32(exactly: number), let scalar = Unicode.Scalar(value) else {
                throw TemplateProblem("printf's %c: \(number) is no character")
            }
            return String(Character(scalar))
        default: return (verb.isSigned && number >= 0 ? "+" : "") + String(number)
        }
    }

    private static func fixed(_ number: Double, _ places: Int) -> String {
        let places = min(places, 15)
        var power = 1.0
        for _ in 0..<places { power *= 10 }
        let magnitude = number.magnitude
        guard magnitude * power < 9e15 else { return String(number) }
        let scaled = UInt64((magnitude * power).rounded(.toNearestOrEven))
        let sign = number < 0 && scaled != 0 ? "-" : ""
        let whole = scaled / UInt64(power)
        guard places > 0 else { return sign + String(whole) }
        let fraction = String(scaled % UInt64(power))
        return "\(sign)\(whole)." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    private static func padded(_ text: String, _ verb: Verb) -> String {
        let missing = verb.width - text.count
        guard missing > 0 else { return text }
        if verb.isLeft { return text + String(repeating: " ", count: missing) }
        guard verb.isZeroed, verb.letter != "s", verb.letter != "v" || text.allSatisfy(\.isNumber) else {
            return String(repeating: " ", count: missing) + text
        }
        let sign = text.first == "-" || text.first == "+" ? 1 : 0
        return text.prefix(sign) + String(repeating: "0", count: missing) + text.dropFirst(sign)
    }
}
