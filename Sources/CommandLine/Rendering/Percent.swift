// SPDX-License-Identifier: Apache-2.0

/// Shares as the Docker command line writes them.
package enum Percent {
    /// `12.34%`: two digits after the point.
    package static func text(_ percent: Double) -> String {
        let hundredths = UInt64((max(0, min(percent, 1e9)) * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)%"
    }
}
