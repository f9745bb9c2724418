// SPDX-License-Identifier: Apache-2.0
package import System

/// Why a filter could not be made.
package enum SeccompError: Error, Hashable, Sendable, CustomStringConvertible {
    /// libseccomp refused a step; the code is an error number.
    case library(step: String, code: Int32)
    /// The filter has more instructions than the kernel takes (4096).
    case tooLarge(instructions: Int)
    /// libseccomp did not come to an end.
    case stalled(seconds: Int)
    /// The process that was to compile it has ended without a word.
    case ended
    case system(SystemError)

    package var description: String {
        switch self {
        case .library(let step, let code): "\(step): \(ErrorNumber.name(of: code))"
        case .tooLarge(let instructions):
            "the filter needs \(instructions) instructions, the kernel takes 4096"
        case .stalled(let seconds):
            "libseccomp found no end in \(seconds) s; rules for one call with different actions must not have"
                + " conditions on the same two arguments"
        case .ended: "the process that compiled the filter was killed"
        case .system(let error): error.description
        }
    }
}
