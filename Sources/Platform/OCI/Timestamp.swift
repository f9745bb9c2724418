// SPDX-License-Identifier: Apache-2.0

/// RFC 3339 times, as image configurations have them.
package enum Timestamp {
    /// Nanoseconds since 1970 of `2024-02-29T12:30:00.123456789+01:00`; nil when it is no such time or lies outside
    /// what 64 bits hold.
    package static func unixNanos(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] | 0x20 == 0x74,
            bytes[13] == 0x3a,
            bytes[16] == 0x3a,
            let year = number(bytes, 0, 4), let month = number(bytes, 5, 2), let day = number(bytes, 8, 2),
            let hour = number(bytes, 11, 2), let minute = number(bytes, 14, 2),
            let second = number(bytes, 17, 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        var nanos: Int64 = 0
        if bytes[position] == 0x2e {
            position += 1
            var scale: Int64 = 100_000_000
            let start = position
            while position < bytes.count, bytes[position].isDigit {
                nanos += Int64(bytes[position] - 0x30) * scale
                scale /= 10
                position += 1
            }
            guard position > start else { return nil }
        }
        guard let offset = offsetSeconds(bytes, position) else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isBeyond) = product.addingReportingOverflow(nanos)
        return overflow || isBeyond ? nil : sum
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64? {
        guard start + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[start..<start + count] {
            guard byte.isDigit else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        return value
    }

    private static func offsetSeconds(_ bytes: [UInt8], _ start: Int) -> Int64? {
        guard start < bytes.count else { return nil }
        if bytes[start] | 0x20 == 0x7a { return start + 1 == bytes.count ? 0 : nil }
        guard bytes[start] == 0x2b || bytes[start] == 0x2d, start + 6 == bytes.count,
            bytes[start + 3] == 0x3a,
            let hours = number(bytes, start + 1, 2), let minutes = number(bytes, start + 4, 2)
        else { return nil }
        return (hours * 3_600 + minutes * 60) * (bytes[start] == 0x2d ? -1 : 1)
    }

    /// Days since 1970 in the Gregorian calendar; years begin in March, so that the leap day is their last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
