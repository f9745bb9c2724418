// SPDX-License-Identifier: Apache-2.0
package import System

/// Why a control group could not be made, limited or removed.
package enum CgroupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A limit needs a controller that this machine does not have.
    case missingController(String)
    /// A field of the specification that this layout cannot honour.
    case unsupported(String)
    case system(SystemError)

    package var description: String {
        switch self {
        case .missingController(let name): "this machine has no cgroup controller \"\(name)\""
        case .unsupported(let field): "\(field): not supported with this machine's cgroups"
        case .system(let error): error.description
        }
    }
}
