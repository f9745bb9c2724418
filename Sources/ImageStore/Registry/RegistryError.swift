// SPDX-License-Identifier: Apache-2.0

/// Why a registry did not give what it was asked for.
package enum RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    case notFound(reference: String, registry: String)
    /// What the registry says, in its words.
    case unauthorized(reference: String, registry: String, message: String)
    case unreachable(registry: String, reason: String)
    case tooManyRequests(registry: String)
    case unexpectedStatus(registry: String, path: String, status: Int, message: String)
    /// An answer that breaks the protocol.
    case malformed(registry: String, reason: String)
    /// Content that has not the size that its descriptor states.
    case wrongSize(digest: String, expected: Int64, actual: Int64)
    /// The connection broke again and again.
    case interrupted(digest: String, receivedBytes: Int64, reason: String)
    case cancelled

    package var description: String {
        switch self {
        case .notFound(let reference, let registry): "\(reference): not found in registry \(registry)"
        case .unauthorized(let reference, let registry, let message):
            "\(reference): registry \(registry) refuses access" + (message.isEmpty ? "" : ": \(message)")
        case .unreachable(let registry, let reason): "registry \(registry) cannot be reached: \(reason)"
        case .tooManyRequests(let registry): "registry \(registry): too many requests"
        case .unexpectedStatus(let registry, let path, let status, let message):
            "registry \(registry): \(path): status \(status)" + (message.isEmpty ? "" : ": \(message)")
        case .malformed(let registry, let reason): "registry \(registry): \(reason)"
        case .wrongSize(let digest, let expected, let actual):
            "\(digest): \(actual) bytes instead of the \(expected) that its descriptor states"
        case .interrupted(let digest, let received, let reason):
            "\(digest): the connection broke after \(received) bytes: \(reason)"
        case .cancelled: "cancelled"
        }
    }
}
