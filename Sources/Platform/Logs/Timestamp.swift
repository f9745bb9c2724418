// SPDX-License-Identifier: Apache-2.0

/// RFC 3339 times with nanoseconds, in UTC: `2026-11-23T14:47:39.000000001Z`.
package enum Timestamp {
    private static let nanosPerSecond: Int64 = 1_000_000_000

    /// Always nine digits after the point, so that lines stay aligned.
    /// - Parameter nanos: Since 1970, UTC.
    package static func text(_ nanos: Int64) -> String {
        let seconds = nanos.floorDivided(by: nanosPerSecond)
        let days = seconds.floorDivided(by: 86400)
        let second = seconds - days * 86400
        let (year, month, day) = date(daysSince1970: days)
        var result = padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
        result += padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2)
        return result + "." + padded(nanos - seconds * nanosPerSecond, 9) + "Z"
    }

    /// Nanoseconds since 1970 of an RFC 3339 time, with or without a fraction, in UTC or with an offset; nil for
    /// anything else.
    package static func nanos(_ text: String) -> Int64? {
        var rest = Substring(text)
        guard let year = number(&rest, 4), skip(&rest, "-"), let month = number(&rest, 2), skip(&rest, "-"),
            let day = number(&rest, 2), skip(&rest, "T") || skip(&rest, "t") || skip(&rest, " "),
            let hour = number(&rest, 2), skip(&rest, ":"), let minute = number(&rest, 2), skip(&rest, ":"),
            let second = number(&rest, 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var fraction: Int64 = 0
        if skip(&rest, ".") {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, let value = Int64(digits.prefix(9)) else { return nil }
            fraction = (digits.count..<max(9, digits.count)).reduce(value) { result, _ in result * 10 }
            rest = rest.dropFirst(digits.count)
        }
        guard let offset = offsetSeconds(&rest), rest.isEmpty else { return nil }
        let seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        let product = seconds.multipliedReportingOverflow(by: nanosPerSecond)
        return product.overflow ? nil : product.partialValue + fraction
    }

    private static func offsetSeconds(_ rest: inout Substring) -> Int64? {
        if skip(&rest, "Z") || skip(&rest, "z") { return 0 }
        let sign: Int64
        if skip(&rest, "+") { sign = 1 } else if skip(&rest, "-") { sign = -1 } else { return nil }
        guard let hours = number(&rest, 2), skip(&rest, ":"), let minutes = number(&rest, 2) else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func number(_ rest: inout Substring, _ count: Int) -> Int64? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        rest = rest.dropFirst(count)
        return Int64(digits)
    }

    private static func skip(_ rest: inout Substring, _ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // Both after Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, eras of 400 years.
    private static func date(daysSince1970 days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719468
        let era = shifted.floorDivided(by: 146097)
        let dayOfEra = shifted - era * 146097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.floorDivided(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
