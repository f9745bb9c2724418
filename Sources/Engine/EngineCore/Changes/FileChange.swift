// SPDX-License-Identifier: Apache-2.0

/// One path that differs from the image's.
package struct FileChange: Hashable, Sendable {
    /// As the Docker API numbers them.
    package enum Kind: Int, Hashable, Sendable {
        case modified = 0
        case added = 1
        case deleted = 2
    }

    package var kind: Kind
    /// Absolute, in the container.
    package var path: String

    package init(_ kind: Kind, _ path: String) {
        self.kind = kind
        self.path = path
    }
}
