// SPDX-License-Identifier: Apache-2.0
internal import System

/// Wall times as the Docker API writes them.
enum Moment {
    /// `2026-11-23T14:54:03.120000000Z`.
    static func text(_ unixNanos: Int64) -> String { Timestamp(unixNanos: unixNanos).rfc3339() }

    /// The same; the API's zero time where there is none.
    static func textOrZero(_ unixNanos: Int64) -> String {
        unixNanos == 0 ? "0001-01-01T00:00:00Z" : text(unixNanos)
    }
}
