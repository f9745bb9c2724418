// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A JSON document, read without knowing its shape: a path that is not there gives nil.
package struct Document: CustomStringConvertible {
    private let value: Any?

    private init(value: Any?) { self.value = value }

    /// - Throws: What the parser says, with the text.
    package init(_ text: String) throws {
        do {
            value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        } catch {
            throw CommandOutputUnreadable(description: "not JSON (\(error)): \(text.prefix(500))")
        }
    }

    /// A field, whatever its name's case and word separators: `exitCode` finds `ExitCode` and `exit_code`.
    package subscript(_ key: String) -> Document {
        guard let object = value as? [String: Any] else { return Document(value: nil) }
        let wanted = Self.plain(key)
        return Document(value: object[key] ?? object.first { Self.plain($0.key) == wanted }?.value)
    }

    package subscript(_ index: Int) -> Document {
        guard let array = value as? [Any], array.indices.contains(index) else { return Document(value: nil) }
        return Document(value: array[index])
    }

    package var string: String? { value as? String }
    package var int: Int? { (value as? NSNumber)?.intValue ?? string.flatMap(Int.init) }
    package var bool: Bool? { (value as? NSNumber)?.boolValue }
    package var array: [Document]? { (value as? [Any])?.map { Document(value: $0) } }
    package var keys: [String]? { (value as? [String: Any])?.keys.sorted() }
    package var exists: Bool { value != nil && !(value is NSNull) }
    package var description: String { value.map { "\($0)" } ?? "nothing" }

    private static func plain(_ key: String) -> String {
        key.lowercased().filter { $0 != "_" && $0 != "-" }
    }
}

/// Output that is not what a program promised to write.
package struct CommandOutputUnreadable: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}
