// SPDX-License-Identifier: Apache-2.0

/// What a process ended with, for people.
package struct WaitStatus: Hashable, Sendable, CustomStringConvertible {
    private let raw: Int32?

    /// - Parameter raw: As waitpid(2) returns it; nil when nobody could tell.
    package init(_ raw: Int32?) { self.raw = raw }

    package var description: String {
        guard let raw else { return "ended with an unknown status" }
        let signal = raw & 0x7f
        return signal == 0 ? "exited with code \((raw >> 8) & 0xff)" : "was killed by signal \(signal)"
    }
}
