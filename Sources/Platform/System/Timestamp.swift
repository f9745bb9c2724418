// SPDX-License-Identifier: Apache-2.0

/// A moment of wall time as people and APIs write it. Pure: no time zone data, UTC or a given offset only.
package struct Timestamp: Hashable, Sendable {
    package let unixNanos: Int64

    package init(unixNanos: Int64) { self.unixNanos = unixNanos }

    /// Date and time of day in the proleptic Gregorian calendar.
    package struct Parts: Hashable, Sendable {
        package let year: Int64
        /// 1 to 12.
        package let month: Int64
        /// 1 to 31.
        package let day: Int64
        package let hour: Int64
        package let minute: Int64
        package let second: Int64
        package let nanos: Int64
    }

    /// In UTC, moved by `offsetSeconds` (east is positive).
    package func parts(offsetSeconds: Int64 = 0) -> Parts {
        let billion: Int64 = 1_000_000_000
        let nanos = ((unixNanos % billion) + billion) % billion
        // Rounded down, also in the earliest second, which begins before what the number can say.
        let seconds = unixNanos / billion - (unixNanos % billion < 0 ? 1 : 0) + offsetSeconds
        let ofDay = ((seconds % 86_400) + 86_400) % 86_400
        // Days to date by the method of H. Hinnant: years begin in March, so that leap days come last.
        let days = (seconds - ofDay) / 86_400 + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return Parts(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
            month: month,
            day: dayOfYear - (153 * shifted + 2) / 5 + 1,
            hour: ofDay / 3_600,
            minute: ofDay / 60 % 60,
            second: ofDay % 60,
            nanos: nanos
        )
    }

    /// Days from 1970-01-01 to a date, the inverse of `parts`.
    package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `2026-11-23T14:54:03.120Z`.
    /// - Parameter fractionDigits: 0 to 9.
    package func rfc3339(fractionDigits: Int = 9) -> String {
        let parts = parts()
        let digits = max(0, min(9, fractionDigits))
        let fraction = digits == 0 ? "" : "." + Self.padded(parts.nanos, 9).prefix(digits)
        return "\(date(parts))T\(time(parts))\(fraction)Z"
    }

    /// `2026-11-23 14:54:03 +0000 UTC`.
    package var spelledOut: String {
        let parts = parts()
        return "\(date(parts)) \(time(parts)) +0000 UTC"
    }

    private func date(_ parts: Parts) -> String {
        "\(Self.padded(parts.year, 4))-\(Self.padded(parts.month, 2))-\(Self.padded(parts.day, 2))"
    }

    private func time(_ parts: Parts) -> String {
        "\(Self.padded(parts.hour, 2)):\(Self.padded(parts.minute, 2)):\(Self.padded(parts.second, 2))"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
