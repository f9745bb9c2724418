// SPDX-License-Identifier: Apache-2.0
package import Definitions

/// Why nothing was generated.
package enum GeneratorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The request is not what a protobuf compiler sends.
    case malformed(WireError)
    /// A file is none, or does not go with the others.
    case unreadable(DefinitionError)
    /// A definition uses something that has no counterpart in the generated code.
    case unsupported(file: String, element: String, problem: String, advice: String)
    /// The parameter names no output.
    case unknownParameter(String)

    package var description: String {
        switch self {
        case .malformed(let error): "malformed request: \(error)"
        case .unreadable(let error): "\(error)"
        case .unsupported(let file, let element, let problem, let advice):
            "\(file): \(element.isEmpty ? "" : element + " ")\(problem); \(advice)"
        case .unknownParameter(let text): "unknown parameter: \(text)"
        }
    }
}
