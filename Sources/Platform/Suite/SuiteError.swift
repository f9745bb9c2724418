// SPDX-License-Identifier: Apache-2.0
package import System

/// Why a suite's place could not be used.
package enum SuiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process of this daemon serves the same root; its number where it is known.
    case alreadyRunning(daemon: String, root: String, pid: Int32?)
    /// `ROOT/suite-id` holds something else than nothing or 8 hexadecimal digits.
    case damagedSuiteID(path: String)
    case system(SystemError)

    package var description: String {
        switch self {
        case .alreadyRunning(let daemon, let root, let pid):
            "\(daemon) runs already for \(root)" + (pid.map { " (pid \($0))" } ?? "")
        case .damagedSuiteID(let path): "\(path): not a suite id"
        case .system(let error): error.description
        }
    }
}
