// SPDX-License-Identifier: Apache-2.0

/// Why nothing was generated.
package enum GeneratorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The request is not what a protobuf compiler sends.
    case malformed(String)
    /// A definition uses something that has no counterpart in the generated code.
    case unsupported(file: String, element: String, problem: String, advice: String)
    /// The parameter names no output.
    case unknownParameter(String)

    package var description: String {
        switch self {
        case .malformed(let what): "malformed request: \(what)"
        case .unsupported(let file, let element, let problem, let advice):
            "\(file): \(element.isEmpty ? "" : element + " ")\(problem); \(advice)"
        case .unknownParameter(let text): "unknown parameter: \(text)"
        }
    }
}
