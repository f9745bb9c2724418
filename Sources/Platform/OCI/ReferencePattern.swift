// SPDX-License-Identifier: Apache-2.0

/// A pattern for images' names: `busybox`, `team/*:1.?`, `localhost:5000/[a-f]*`. `*` and `?` fit no slash.
///
/// Source followed: github.com/distribution/reference `FamiliarMatch`, and Go's `path.Match`.
package struct ReferencePattern: Hashable, Sendable {
    private let pattern: [Character]
    private let isExact: Bool

    package init(_ text: String) {
        isExact = !text.contains { "*?[\\".contains($0) }
        // `docker.io/library/busybox` is called `busybox`.
        let whole = isExact ? (try? Reference(text))?.familiar : nil
        pattern = Array(whole ?? text)
    }

    /// Whether it fits a familiar reference (`team/app:1`), or that without its tag or digest.
    package func matches(_ familiar: String) -> Bool {
        Self.fits(Array(familiar)[...], pattern[...])
            || Self.fits(Array(Self.name(familiar))[...], pattern[...])
    }

    private static func name(_ familiar: String) -> Substring {
        let name = familiar.prefix { $0 != "@" }
        guard let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") else { return name }
        return name[..<colon]
    }

    private static func fits(_ text: ArraySlice<Character>, _ pattern: ArraySlice<Character>) -> Bool {
        var (text, pattern) = (text, pattern)
        var retry: (text: ArraySlice<Character>, pattern: ArraySlice<Character>)?
        while true {
            if pattern.first == "*" {
                pattern = pattern.dropFirst()
                retry = (text, pattern)
                continue
            }
            if text.isEmpty, pattern.isEmpty { return true }
            if let first = text.first, let rest = step(first, pattern) {
                (text, pattern) = (text.dropFirst(), rest)
                continue
            }
            // The last star takes one more character, unless that is a slash.
            guard let last = retry, let next = last.text.first, next != "/" else { return false }
            retry = (last.text.dropFirst(), last.pattern)
            (text, pattern) = (last.text.dropFirst(), last.pattern)
        }
    }

    /// What is left of the pattern when its first element fits the character; nil when it does not.
    private static func step(_ character: Character, _ pattern: ArraySlice<Character>) -> ArraySlice<
        Character
    >? {
        switch pattern.first {
        case nil: return nil
        case "?": return character == "/" ? nil : pattern.dropFirst()
        case "\\":
            let rest = pattern.dropFirst()
            return rest.first == character ? rest.dropFirst() : nil
        case "[":
            guard let close = pattern.dropFirst().firstIndex(of: "]") else { return nil }
            var members = pattern[(pattern.startIndex + 1)..<close]
            let isNegated = members.first == "^"
            if isNegated { members = members.dropFirst() }
            return contains(members, character) == isNegated ? nil : pattern[(close + 1)...]
        default: return pattern.first == character ? pattern.dropFirst() : nil
        }
    }

    private static func contains(_ members: ArraySlice<Character>, _ character: Character) -> Bool {
        var rest = members
        while let first = rest.popFirst() {
            if rest.first == "-", let last = rest.dropFirst().first {
                rest = rest.dropFirst(2)
                if first <= character, character <= last { return true }
            } else if first == character {
                return true
            }
        }
        return false
    }
}
