// SPDX-License-Identifier: Apache-2.0
package import System

extension GoogleProtobuf.Timestamp {
    package init(_ timestamp: System.Timestamp) {
        let (seconds, nanos) = timestamp.unixNanos.quotientAndRemainder(dividingBy: 1_000_000_000)
        // Nanoseconds count forward, before 1970 too.
        let isBefore = nanos < 0
        self.init(
            seconds: isBefore ? seconds - 1 : seconds,
            nanos: Int32(isBefore ? nanos + 1_000_000_000 : nanos)
        )
    }
}

extension System.Timestamp {
    /// Nil when `nanos` is not 0 to 999,999,999, or the moment is not within 1677 to 2262, where nanoseconds fit.
    package init?(_ timestamp: GoogleProtobuf.Timestamp) {
        guard (0...999_999_999).contains(timestamp.nanos),
            let unixNanos = Self.nanos(timestamp.seconds, timestamp.nanos)
        else { return nil }
        self.init(unixNanos: unixNanos)
    }

    /// The sum's first part alone may be too small where the whole is not.
    private static func nanos(_ seconds: Int64, _ nanos: Int32) -> Int64? {
        let (seconds, nanos) =
            seconds < 0 ? (seconds + 1, Int64(nanos) - 1_000_000_000) : (seconds, Int64(nanos))
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, exceeds) = product.addingReportingOverflow(nanos)
        return overflows || exceeds ? nil : sum
    }
}

extension GoogleProtobuf.Duration {
    /// What is less than a nanosecond is dropped.
    package init(_ duration: Swift.Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}

extension Swift.Duration {
    /// Nil when the message's parts have different signs, or exceed what a duration may be: 10,000 years, and
    /// 999,999,999 nanoseconds.
    package init?(_ duration: GoogleProtobuf.Duration) {
        let (seconds, nanos) = (duration.seconds, duration.nanos)
        guard (-315_576_000_000...315_576_000_000).contains(seconds),
            (-999_999_999...999_999_999).contains(nanos), seconds.signum() * Int64(nanos.signum()) >= 0
        else { return nil }
        self = .seconds(seconds) + .nanoseconds(Int64(nanos))
    }
}
