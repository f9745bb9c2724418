// SPDX-License-Identifier: Apache-2.0

/// Why bytes are no definition file, or files do not go together.
package enum DefinitionError: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(WireError)
    /// A name is not UTF-8, or no name: `message`, `field`, ….
    case badName(of: String)
    /// A field's number is none; its full name.
    case badNumber(of: String)
    /// A field's type is unknown; its full name.
    case badType(of: String)
    case tooLarge(limitBytes: Int)
    case tooManyElements(limit: Int)
    case tooDeep(limit: Int)
    /// Two files declare one symbol.
    case declaredTwice(symbol: String, files: [String])

    package var description: String {
        switch self {
        case .malformed(let error): "malformed definition file: \(error)"
        case .badName(let element): "a \(element) in a definition file has no valid name"
        case .badNumber(let field): "\(field) has no valid number"
        case .badType(let field): "\(field) has an unknown type"
        case .tooLarge(let limit): "a definition file is larger than \(limit) bytes"
        case .tooManyElements(let limit): "a definition file has more than \(limit) elements"
        case .tooDeep(let limit): "messages are defined within each other deeper than \(limit)"
        case .declaredTwice(let symbol, let files):
            "\(symbol) is declared in \(files.joined(separator: " and "))"
        }
    }
}
