// SPDX-License-Identifier: Apache-2.0

/// Which containers are listed.
struct SummaryFilter: Sendable {
    private enum Key: String, CaseIterable {
        case ancestor, before, exited, health, id, label, name, network, since, status, volume
        case isTask = "is-task"
    }

    private static let longestPattern = 256
    private static let truths = ["1", "true"]
    private static let lies = ["0", "false"]

    private var wanted: [Key: [String]] = [:]
    private var earliest = Int64.min
    private var latest = Int64.max

    init(_ texts: [String]) throws(EngineError) {
        for text in texts {
            let (name, value) = try FilterText.parts(text, Key.allCases.map(\.rawValue))
            guard let key = Key(rawValue: name) else { continue }
            switch key {
            case .status where ContainerStatus(rawValue: value) == nil:
                throw .badFilter(
                    text,
                    "use \(ContainerStatus.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            case .health where HealthStatus(rawValue: value) == nil:
                throw .badFilter(
                    text,
                    "use \(HealthStatus.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            case .isTask where !Self.truths.contains(value) && !Self.lies.contains(value):
                throw .badFilter(text, "use true or false")
            case .exited where UInt32(value) == nil: throw .badFilter(text, "an exit code is a number")
            case .name where value.count > Self.longestPattern || (try? Regex(value)) == nil:
                throw .badFilter(text, "a name is part of one, or a regular expression")
            default: wanted[key, default: []].append(value)
            }
        }
    }

    var impliesAll: Bool { wanted[.status] != nil || wanted[.exited] != nil }

    /// Containers to compare with, by name or id.
    var before: [String] { wanted[.before] ?? [] }
    var since: [String] { wanted[.since] ?? [] }

    mutating func madeBefore(_ nanos: Int64) { latest = min(latest, nanos - 1) }
    mutating func madeAfter(_ nanos: Int64) { earliest = max(earliest, nanos + 1) }

    func matches(_ summary: Engine.Summary) -> Bool {
        guard earliest <= summary.createdAtUnixNanos, summary.createdAtUnixNanos <= latest else {
            return false
        }
        return wanted.allSatisfy { key, values in
            // Labels narrow each other down; of everything else, any will do.
            key == .label
                ? values.allSatisfy { matches(summary, key, $0) }
                : values.contains { matches(summary, key, $0) }
        }
    }

    private func matches(_ summary: Engine.Summary, _ key: Key, _ value: String) -> Bool {
        switch key {
        case .name: Self.fits(summary.name, value)
        case .id: summary.id.text.hasPrefix(value)
        case .status: summary.status.rawValue == value
        case .label: LabelFilter(value).matches(summary.labels)
        case .exited: summary.status == .exited && summary.exitCode == UInt32(value)
        case .health: summary.health.rawValue == value
        case .network: summary.network == value
        // Swarm's; no container here is one.
        case .isTask: Self.lies.contains(value)
        case .volume: summary.mounts.contains(value) || summary.mountTargets.contains(value)
        case .before, .since: true
        case .ancestor:
            summary.image == value || ImageNames.withoutTag(summary.image) == value
                || summary.imageID == value
                || (value.count >= 4 && summary.imageID.hasPrefix("sha256:" + value))
        }
    }

    /// A regular expression anywhere in the name, which may be thought to begin with a slash.
    private static func fits(_ name: String, _ pattern: String) -> Bool {
        if name.contains(pattern) { return true }
        guard let expression = try? Regex(pattern) else { return false }
        return name.contains(expression) || ("/" + name).contains(expression)
    }
}

/// `key=value`.
enum FilterText {
    /// - Throws: `.badFilter` for a key that is not known, with those that are.
    static func parts(_ text: String, _ keys: [String]) throws(EngineError) -> (key: String, value: String) {
        let list = keys.map { $0 + "=" }.joined(separator: " ")
        guard let equals = text.firstIndex(of: "=") else { throw .badFilter(text, "use one of: \(list)") }
        let key = String(text[..<equals])
        guard keys.contains(key) else { throw .badFilter(text, "use one of: \(list)") }
        return (key, String(text[text.index(after: equals)...]))
    }
}
