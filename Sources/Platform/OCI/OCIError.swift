// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a reference, digest or document. The texts are one lower-case line.
package enum OCIError: Error, Hashable, Sendable, CustomStringConvertible {
    case invalidReference(String, String)
    case invalidDigest(String, String)
    case invalidPlatform(String)
    /// A document that is not JSON, or is too large or too deep; what kind of document, and why.
    case malformed(document: String, String)
    /// A member that is missing or has the wrong type: `layers[2].digest`.
    case invalidMember(document: String, path: String, String)
    /// A media type that this document may not have here.
    case unsupportedMediaType(document: String, String)

    package var description: String {
        switch self {
        case .invalidReference(let text, let reason): "invalid reference \(quoted(text)): \(reason)"
        case .invalidDigest(let text, let reason): "invalid digest \(quoted(text)): \(reason)"
        case .invalidPlatform(let text):
            "invalid platform \(quoted(text)): expected os/architecture or os/architecture/variant"
        case .malformed(let document, let reason): "invalid \(document): \(reason)"
        case .invalidMember(let document, let path, let reason): "invalid \(document): \(path): \(reason)"
        case .unsupportedMediaType(let document, let type): "invalid \(document): media type \(quoted(type))"
        }
    }

    private func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(200).map {
            $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0)
        }
        return "\"" + shown.joined() + "\""
    }
}
