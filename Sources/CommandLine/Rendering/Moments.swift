// SPDX-License-Identifier: Apache-2.0
internal import System

/// Moments and spans of time as people type them.
package enum Moments {
    /// Wall time in nanoseconds from `--since` and `--until`: RFC 3339 (`2026-11-23T14:00:00.5+01:00`; zone, fraction,
    /// seconds and time may be left out, which means UTC), a Unix time (`1795442400.25`), or a Go duration before now
    /// (`10m`).
    /// - Returns: nil when it is none of these.
    package static func moment(_ text: String, now: Int64) -> Int64? {
        if let span = duration(text) {
            let (moment, isOutside) = now.subtractingReportingOverflow(span)
            return isOutside ? nil : moment
        }
        if let number = unixTime(text) { return number }
        return rfc3339(text)
    }

    /// An option's moment; 0 when the option is not given, or empty.
    package static func option(_ name: String, _ text: String?, now: Int64) throws(Failure) -> Int64 {
        guard let text, !text.isEmpty else { return 0 }
        guard let moment = moment(text, now: now) else {
            throw Failure(
                "\(name) '\(text)'",
                "is no time",
                advice: "write 2026-11-23T14:00:00Z, 1795442400 or 10m"
            )
        }
        return moment
    }

    /// Nanoseconds of a Go duration: `300ms`, `-1.5h`, `2h45m`; `0` too.
    package static func duration(_ text: String) -> Int64? {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total: UInt64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest[number.endIndex...]
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest[unit.endIndex...]
            guard let value = DecimalNumber(String(number)), let scale = units[String(unit)],
                let nanos = value.scaled(by: scale, limit: UInt64(Int64.max))
            else { return nil }
            total += nanos
            guard total <= UInt64(Int64.max) else { return nil }
        }
        return isNegative ? -Int64(total) : Int64(total)
    }

    private static let units: [String: UInt64] = [
        "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000,
        "m": 60_000_000_000, "h": 3_600_000_000_000,
    ]

    private static func unixTime(_ text: String) -> Int64? {
        let isNegative = text.hasPrefix("-")
        guard let number = DecimalNumber(isNegative ? String(text.dropFirst()) : text),
            let nanos = number.scaled(by: 1_000_000_000, limit: UInt64(Int64.max))
        else { return nil }
        return isNegative ? -Int64(nanos) : Int64(nanos)
    }

    /// RFC 3339 with parts left out from the right, as the Docker command line takes it.
    package static func rfc3339(_ text: String) -> Int64? {
        var reader = DigitReader(text)
        guard let year = reader.digits(4), reader.skip("-"), let month = reader.digits(2), reader.skip("-"),
            let day = reader.digits(2), 1...12 ~= month, 1...31 ~= day
        else { return nil }
        var seconds = Timestamp.days(year: year, month: month, day: day) * 86_400
        var nanos: Int64 = 0
        if reader.skip("T") || reader.skip("t") || reader.skip(" ") {
            guard let hour = reader.digits(2), hour < 24 else { return nil }
            var minute: Int64 = 0
            var second: Int64 = 0
            if reader.skip(":") {
                guard let value = reader.digits(2), value < 60 else { return nil }
                minute = value
                if reader.skip(":") {
                    guard let value = reader.digits(2), value < 61 else { return nil }
                    second = value
                    if reader.skip(".") {
                        guard let value = reader.fraction() else { return nil }
                        nanos = value
                    }
                }
            }
            seconds += hour * 3_600 + minute * 60 + second
        }
        guard let offset = reader.zone(), reader.isAtEnd else { return nil }
        guard let whole = Optional((seconds - offset).multipliedReportingOverflow(by: 1_000_000_000)),
            !whole.overflow
        else { return nil }
        let (moment, isOutside) = whole.partialValue.addingReportingOverflow(nanos)
        return isOutside ? nil : moment
    }
}

/// Reads fixed-width fields from the front of a text.
private struct DigitReader {
    private var rest: Substring

    init(_ text: String) { rest = text[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int64? {
        let field = rest.prefix(count)
        guard field.count == count, field.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        rest = rest.dropFirst(count)
        return Int64(field)
    }

    /// 1 or more digits after the point, as nanoseconds.
    mutating func fraction() -> Int64? {
        let field = rest.prefix { $0.isASCII && $0.isNumber }
        guard !field.isEmpty else { return nil }
        rest = rest[field.endIndex...]
        let nine = field.prefix(9)
        return Int64(nine + String(repeating: "0", count: 9 - nine.count))
    }

    /// Seconds east of UTC; nothing and `Z` are 0.
    mutating func zone() -> Int64? {
        if isAtEnd || skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60 else {
            return nil
        }
        return sign * (hours * 3_600 + minutes * 60)
    }
}

/// CPUs as people type them.
package enum Processors {
    /// Thousand-millionths of a CPU from `1.5`; nil when it is no number, or has more than nine decimals.
    package static func nano(_ text: String) -> UInt64? {
        let decimals = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard decimals.count < 2 || decimals[1].count <= 9 else { return nil }
        return DecimalNumber(text)?.scaled(by: 1_000_000_000, limit: UInt64(Int64.max))
    }
}
