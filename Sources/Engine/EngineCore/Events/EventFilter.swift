// SPDX-License-Identifier: Apache-2.0

/// Which events a reader wants: all keys must match, any value of a key, and all labels.
package struct EventFilter: Hashable, Sendable {
    private var wanted: [Key: [String]] = [:]

    private enum Key: String { case container, daemon, event, image, label, type }

    /// - Parameter texts: `key=value`.
    /// - Throws: `.badFilter` for an unknown key or a missing value.
    package init(_ texts: [String]) throws(EngineError) {
        for text in texts {
            guard let equals = text.firstIndex(of: "="), let key = Key(rawValue: String(text[..<equals]))
            else {
                throw .badFilter(text, "use container=, daemon=, event=, image=, label= or type=")
            }
            wanted[key, default: []].append(String(text[text.index(after: equals)...]))
        }
    }

    package func matches(_ event: EngineEvent) -> Bool {
        wanted.allSatisfy { key, values in
            // Labels narrow each other down; of everything else, any will do.
            key == .label
                ? values.allSatisfy { matches(event, key, $0) } : values.contains { matches(event, key, $0) }
        }
    }

    private func matches(_ event: EngineEvent, _ key: Key, _ value: String) -> Bool {
        switch key {
        case .type: return event.type.rawValue == value
        // Nothing is told of daemons yet.
        case .daemon: return event.type.rawValue == "daemon"
        case .event: return event.action == value || event.action.hasPrefix(value + ":")
        case .label: return LabelFilter(value).matches(event.attributes)
        case .container:
            guard event.type == .container else { return false }
            return event.attributes["name"] == value
                || (ContainerID.isPrefix(value) && event.actor.hasPrefix(value))
        case .image:
            let image =
                event.type == .image ? event.attributes["name"] ?? "" : event.attributes["image"] ?? ""
            return event.actor == value || image == value || ImageNames.withoutTag(image) == value
        }
    }
}

/// `name` or `name=value`.
struct LabelFilter {
    let name: String
    let value: String?

    init(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        value = parts.count == 2 ? String(parts[1]) : nil
    }

    func matches(_ labels: [String: String]) -> Bool {
        guard let found = labels[name] else { return false }
        return value == nil || value == found
    }
}

/// The little that the engine needs to know of image names.
enum ImageNames {
    /// `team/app` for `team/app:1.2` and for `team/app@sha256:…`; a registry's port is no tag.
    static func withoutTag(_ reference: String) -> String {
        if let at = reference.firstIndex(of: "@") { return withoutTag(String(reference[..<at])) }
        guard let colon = reference.lastIndex(of: ":"), !reference[colon...].contains("/") else {
            return reference
        }
        return String(reference[..<colon])
    }
}
