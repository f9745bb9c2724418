// SPDX-License-Identifier: Apache-2.0

/// What the user wants run in a running container.
///
/// Kept in the database as JSON: a field added later must be optional.
package struct ExecSettings: Codable, Hashable, Sendable {
    package var command: [String] = []
    package var environment: [String] = []
    package var workingDirectory = ""
    package var user = ""
    package var isPrivileged = false
    package var hasTerminal = false
    package var opensStdin = false
    package var isDetached = false
    package var consoleSize: ConsoleSize?

    package init() {}
}
