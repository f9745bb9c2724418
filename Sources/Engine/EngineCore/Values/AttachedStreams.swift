// SPDX-License-Identifier: Apache-2.0

/// What the maker of a container was attached to. Told, and nothing else.
package struct AttachedStreams: Codable, Hashable, Sendable {
    package var input: Bool
    package var output: Bool
    package var error: Bool

    package init(input: Bool, output: Bool, error: Bool) {
        self.input = input
        self.output = output
        self.error = error
    }
}
