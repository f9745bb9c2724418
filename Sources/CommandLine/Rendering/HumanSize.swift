// SPDX-License-Identifier: Apache-2.0

/// Sizes as the Docker command line writes and reads them.
package enum HumanSize {
    /// `4.27MB`: units of 1000, three significant digits.
    /// - Source: docker/go-units `HumanSizeWithPrecision(size, 3)`.
    package static func decimal(_ bytes: UInt64, digits: Int = 3) -> String {
        scaled(bytes, base: 1000, units: ["B", "kB", "MB", "GB", "TB", "PB", "EB"], digits: digits)
    }

    /// `12.5MiB`: units of 1024, four significant digits.
    /// - Source: docker/go-units `BytesSize`.
    package static func binary(_ bytes: UInt64) -> String {
        scaled(bytes, base: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], digits: 4)
    }

    private static func scaled(_ bytes: UInt64, base: UInt64, units: [String], digits: Int) -> String {
        var unit = 0
        var divisor: UInt64 = 1
        while bytes / divisor >= base, unit < units.count - 1 {
            divisor *= base
            unit += 1
        }
        return significant(Double(bytes) / Double(divisor), digits: digits) + units[unit]
    }

    /// C's `%.<digits>g` for values from 0 up to five digits, without its exponent form.
    static func significant(_ value: Double, digits: Int) -> String {
        var whole = 1
        var bound = 10.0
        while value >= bound {
            whole += 1
            bound *= 10
        }
        let places = max(0, digits - whole)
        var power: Int64 = 1
        for _ in 0..<places { power *= 10 }
        let scaled = Int64((value * Double(power)).rounded(.toNearestOrEven))
        guard places > 0 else { return String(scaled) }
        var fraction = String(scaled % power)
        fraction = String(repeating: "0", count: places - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return fraction.isEmpty ? String(scaled / power) : "\(scaled / power).\(fraction)"
    }

    /// Bytes from `512m`, `1.5g`, `64MiB`, `1024`: units of 1024, in either case.
    /// - Returns: nil when it is no size, or does not fit 63 bits.
    /// - Source: docker/go-units `RAMInBytes`.
    package static func bytes(_ text: String) -> UInt64? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = DecimalNumber(String(number)) else { return nil }
        var suffix = text[number.endIndex...].lowercased()
        if suffix.first == " " { suffix.removeFirst() }
        let shifts: [String: UInt64] = ["": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50]
        if suffix.count > 1 {
            guard suffix.hasSuffix("ib") || suffix.hasSuffix("b") else { return nil }
            suffix = String(suffix.prefix(1))
            if suffix == "b" || suffix == "i" { return nil }
        }
        guard let shift = shifts[suffix] else { return nil }
        return value.scaled(by: 1 << shift, limit: UInt64(Int64.max))
    }
}

/// A decimal number as typed: digits, and perhaps a point and more digits. Exact, unlike a Double.
struct DecimalNumber: Hashable, Sendable {
    private let whole: UInt64
    /// At most 18 digits after the point.
    private let fraction: UInt64
    private let fractionScale: UInt64

    init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard text.utf8.contains(where: { $0 != 0x2e }),
            parts.allSatisfy({ $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } })
        else { return nil }
        guard let whole = parts[0].isEmpty ? 0 : UInt64(parts[0]) else { return nil }
        let digits = parts.count == 2 ? parts[1].prefix(18) : ""
        self.whole = whole
        fraction = UInt64(digits) ?? 0
        var scale: UInt64 = 1
        for _ in 0..<digits.count { scale *= 10 }
        fractionScale = scale
    }

    /// The number times `factor`, rounded down; nil above `limit`.
    func scaled(by factor: UInt64, limit: UInt64) -> UInt64? {
        let (high, overflow) = whole.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        let product = fraction.multipliedFullWidth(by: factor)
        let low = fractionScale.dividingFullWidth(product).quotient
        let (sum, carried) = high.addingReportingOverflow(low)
        return carried || sum > limit ? nil : sum
    }
}
