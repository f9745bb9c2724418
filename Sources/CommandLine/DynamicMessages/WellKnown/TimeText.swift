// SPDX-License-Identifier: Apache-2.0

/// `google.protobuf.Timestamp` and `Duration`: seconds, and nanoseconds of the same sign.
struct Moment: Hashable {
    var seconds: Int64
    var nanos: Int32
}

/// Moments as the JSON mapping writes them: RFC 3339, in the years 1 to 9999.
enum TimestampText {
    private static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// nil for what is no moment.
    static func moment(_ text: String) -> Moment? {
        var reader = DigitReader(text)
        guard let year = reader.digits(4), reader.skip("-"), let month = reader.digits(2), reader.skip("-"),
            let day = reader.digits(2), reader.skip("T"), let hour = reader.digits(2), reader.skip(":"),
            let minute = reader.digits(2), reader.skip(":"), let second = reader.digits(2),
            let nanos = reader.fraction(), let zone = zone(&reader), reader.isAtEnd
        else { return nil }
        guard year >= 1, 1...12 ~= month, 1...days(year, month) ~= day, hour < 24, minute < 60, second < 60
        else { return nil }
        let date = daysSince1970(year, month, day) * 86_400
        let seconds = date + hour * 3600 + minute * 60 + second - zone
        return range ~= seconds ? Moment(seconds: seconds, nanos: nanos) : nil
    }

    /// nil outside the years 1 to 9999, and for nanoseconds that are none.
    static func text(_ moment: Moment) -> String? {
        guard range ~= moment.seconds, 0..<1_000_000_000 ~= moment.nanos else { return nil }
        let second = ((moment.seconds % 86_400) + 86_400) % 86_400
        let (year, month, day) = date((moment.seconds - second) / 86_400)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }
        return "\(date)T\(time.joined(separator: ":"))\(fraction(moment.nanos))Z"
    }

    /// 3, 6 or 9 digits behind a point, or nothing.
    static func fraction(_ nanos: Int32) -> String {
        guard nanos != 0 else { return "" }
        var digits = padded(Int64(nanos), 9)
        while digits.hasSuffix("000") { digits.removeLast(3) }
        return "." + digits
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Seconds east of UTC.
    private static func zone(_ reader: inout DigitReader) -> Int64? {
        if reader.skip("Z") { return 0 }
        let sign: Int64
        if reader.skip("+") { sign = 1 } else if reader.skip("-") { sign = -1 } else { return nil }
        guard let hours = reader.digits(2), reader.skip(":"), let minutes = reader.digits(2), hours < 24,
            minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func days(_ year: Int64, _ month: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Years begin in March here, so that the leap day is a year's last.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // 719 468 days before 1970 a cycle of 400 years, 146 097 days, began.
        let day = days + 719_468
        let cycle = day / 146_097
        let dayOfCycle = day % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (
            cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
        )
    }
}

/// Spans of time as the JSON mapping writes them: `1.500s`, up to 10 000 years.
enum DurationText {
    private static let limit: Int64 = 315_576_000_000

    /// nil for what is no span.
    static func span(_ text: String) -> Moment? {
        var reader = DigitReader(text)
        let isNegative = reader.skip("-")
        guard let seconds = reader.number(), seconds <= limit, let nanos = reader.fraction(),
            reader.skip("s"), reader.isAtEnd
        else { return nil }
        guard seconds < limit || nanos == 0 else { return nil }
        return Moment(seconds: isNegative ? -seconds : seconds, nanos: isNegative ? -nanos : nanos)
    }

    /// nil beyond 10 000 years, and for nanoseconds that are none or have another sign than the seconds.
    static func text(_ span: Moment) -> String? {
        guard -limit...limit ~= span.seconds, -999_999_999...999_999_999 ~= span.nanos,
            span.seconds == 0 || span.nanos == 0 || (span.seconds < 0) == (span.nanos < 0)
        else { return nil }
        let sign = span.seconds < 0 || span.nanos < 0 ? "-" : ""
        return "\(sign)\(abs(span.seconds))\(TimestampText.fraction(abs(span.nanos)))s"
    }
}

/// Reads fields of digits from the front of a text.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int64? {
        let digits = rest.prefix(count).prefix { 0x30...0x39 ~= $0 }
        guard digits.count == count else { return nil }
        rest = rest.dropFirst(count)
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    /// As many digits as there are, at least one and at most 18.
    mutating func number() -> Int64? {
        let count = rest.prefix { 0x30...0x39 ~= $0 }.count
        return 1...18 ~= count ? digits(count) : nil
    }

    /// Nanoseconds from a point and 1 to 9 digits; 0 where there is no point.
    mutating func fraction() -> Int32? {
        guard skip(".") else { return 0 }
        let count = rest.prefix { 0x30...0x39 ~= $0 }.count
        guard 1...9 ~= count, var nanos = digits(count) else { return nil }
        for _ in count..<9 { nanos *= 10 }
        return Int32(nanos)
    }
}
