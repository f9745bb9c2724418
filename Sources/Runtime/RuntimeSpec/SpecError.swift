// SPDX-License-Identifier: Apache-2.0

/// A value in a specification that cannot be meant, and where it stands.
package struct SpecError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `linux.resources.memory.limit`, `mounts[3].destination`; empty for the whole text.
    package let path: String
    /// `must be a string`.
    package let problem: String

    package init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}
