// SPDX-License-Identifier: Apache-2.0
package import System

/// Why a filter could not be made.
package enum SeccompError: Error, Hashable, Sendable, CustomStringConvertible {
    /// libseccomp refused a step; the code is an error number.
    case library(step: String, code: Int32)
    /// The filter has more instructions than the kernel takes (4096).
    case tooLarge(instructions: Int)
    case system(SystemError)

    package var description: String {
        switch self {
        case .library(let step, let code): "\(step): \(ErrorNumber.name(of: code))"
        case .tooLarge(let instructions):
            "the filter needs \(instructions) instructions, the kernel takes 4096"
        case .system(let error): error.description
        }
    }
}
