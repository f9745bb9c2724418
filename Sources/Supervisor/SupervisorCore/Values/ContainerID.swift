// SPDX-License-Identifier: Apache-2.0

/// 64 lower-case hexadecimal digits that name a container, chosen by its owner.
package struct ContainerID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// nil when `text` is anything else.
    package init?(_ text: String) {
        guard HexName.isValid(text) else { return nil }
        self.text = text
    }

    /// No container's: random ids are never this one.
    package static let nobody = ContainerID(unchecked: String(repeating: "0", count: 64))

    private init(unchecked text: String) { self.text = text }

    package var description: String { text }

    package static func < (left: ContainerID, right: ContainerID) -> Bool { left.text < right.text }
}

/// 64 lower-case hexadecimal digits that name a process in a container, chosen by its owner.
package struct ExecID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// nil when `text` is anything else.
    package init?(_ text: String) {
        guard HexName.isValid(text) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

private enum HexName {
    static func isValid(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
    }
}
