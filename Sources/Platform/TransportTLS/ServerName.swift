// SPDX-License-Identifier: Apache-2.0

/// Names of servers in certificates.
package enum ServerName {
    /// Whether a certificate's name covers a server's, both as ASCII, letters of either case. A star may stand for the whole first
    /// label of at least three.
    /// - Source: RFC 6125, section 6.4.
    package static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        let (pattern, name) = (labels(pattern), labels(name))
        guard pattern.count == name.count, !name.contains(where: \.isEmpty) else { return false }
        let isWildcard = pattern[0] == [0x2a] && pattern.count >= 3
        return pattern.dropFirst() == name.dropFirst() && (isWildcard || pattern[0] == name[0])
    }

    private static func labels(_ name: [UInt8]) -> [[UInt8]] {
        let lower = name.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }
        // A name may end with the root's dot.
        let whole = lower.last == 0x2e ? lower.dropLast() : lower[...]
        return whole.split(separator: 0x2e, omittingEmptySubsequences: false).map(Array.init)
    }
}
