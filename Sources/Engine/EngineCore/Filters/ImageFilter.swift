// SPDX-License-Identifier: Apache-2.0
internal import OCI
internal import System

/// Which images are listed or pruned.
struct ImageFilter: Sendable {
    private enum Key: String, CaseIterable {
        case before, dangling, label, reference, since, until
        case withoutLabel = "label!"
    }

    private var wanted: [Key: [String]] = [:]
    private let patterns: [ReferencePattern]
    private var earliest = Int64.min
    private var latest = Int64.max

    /// - Parameter now: What `until=24h` counts from.
    /// - Throws: `.badFilter`.
    init(_ texts: [String], now: Int64) throws(EngineError) {
        for text in texts {
            let (name, value) = try FilterText.parts(text, Key.allCases.map(\.rawValue))
            guard let key = Key(rawValue: name) else { continue }
            switch key {
            case .dangling where !["true", "false", "1", "0"].contains(value):
                throw .badFilter(text, "dangling is true or false")
            case .until:
                guard let moment = FilterMoment.unixNanos(value, now: now) else {
                    throw .badFilter(text, "write a time (2026-11-23T14:00:00Z, 1795442400) or an age (24h)")
                }
                latest = min(latest, moment - 1)
            default: wanted[key, default: []].append(value)
            }
        }
        patterns = (wanted[.reference] ?? []).map { ReferencePattern($0) }
    }

    /// Images to compare with.
    var before: [String] { wanted[.before] ?? [] }
    var since: [String] { wanted[.since] ?? [] }
    /// Nil where nobody has asked.
    var dangling: Bool? { wanted[.dangling]?.last.map { $0 == "true" || $0 == "1" } }

    mutating func madeBefore(_ nanos: Int64) { latest = min(latest, nanos - 1) }
    mutating func madeAfter(_ nanos: Int64) { earliest = max(earliest, nanos + 1) }

    /// The image with those of its names that fit; nil when it does not pass.
    func visible(_ image: StoredImage) -> StoredImage? {
        guard earliest <= image.createdAtUnixNanos, image.createdAtUnixNanos <= latest else { return nil }
        if let dangling, image.references.isEmpty != dangling { return nil }
        let labels = image.labels
        guard (wanted[.label] ?? []).allSatisfy({ LabelFilter($0).matches(labels) }) else { return nil }
        if (wanted[.withoutLabel] ?? []).contains(where: { LabelFilter($0).matches(labels) }) { return nil }
        guard !patterns.isEmpty else { return image }
        var image = image
        image.references = image.references.filter { name in patterns.contains { $0.matches(name) } }
        let digests = image.repositoryDigests.filter { name in patterns.contains { $0.matches(name) } }
        return image.references.isEmpty && digests.isEmpty ? nil : image
    }
}

/// A moment in a filter: RFC 3339, a Unix time, or an age.
enum FilterMoment {
    static func unixNanos(_ text: String, now: Int64) -> Int64? {
        if let seconds = Double(text), seconds.isFinite, seconds.magnitude < 9e9 {
            return Int64(seconds * 1_000_000_000)
        }
        return age(text).map { now - $0 } ?? OCI.Timestamp.unixNanos(text)
    }

    /// Nanoseconds of `10m`, `1h30m`, `2.5h`.
    private static func age(_ text: String) -> Int64? {
        let units: [String: Double] = [
            "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 6e10, "h": 3.6e12,
        ]
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let scale = units[String(unit)] else { return nil }
            total += value * scale
        }
        return total < 9e18 ? Int64(total) : nil
    }
}
