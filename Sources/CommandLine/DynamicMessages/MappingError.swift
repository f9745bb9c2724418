// SPDX-License-Identifier: Apache-2.0
package import Definitions
internal import JSON

/// Why JSON is no message of some type, or bytes are none, and where.
package struct MappingError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        /// - `known`: The names of those that the message has.
        case unknownField(of: String, known: [String])
        /// - `known`: The names of those that the enum has.
        case unknownValue(String, of: String, known: [String])
        /// `a string`, and what is there instead: `a number`.
        case expected(String, found: String)
        /// One field under two names.
        case givenTwice
        /// Two fields of one oneof.
        case chosenTwice(oneof: String, other: String)
        /// No definition file declares it.
        case unknownType(String)
        /// What proto2 has and this mapping has not.
        case unsupported(String)
        case malformed(WireError)
        /// A string is not UTF-8.
        case notText
        case tooDeep(limit: Int)
        case tooMany(limit: Int)
    }

    /// `containers[2].labels.app`; empty for the whole.
    package private(set) var path = ""
    package let reason: Reason

    package init(_ reason: Reason, at path: String = "") {
        self.reason = reason
        self.path = path
    }

    /// `containers[2].memory: expected a whole number, found null`; one line, whatever the names in it are.
    package var description: String {
        let line = path.isEmpty ? text : "\(path): \(text)"
        return line.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? "?" : String(scalar)
        }.joined()
    }

    private var text: String {
        switch reason {
        case .unknownField(let message, _): "\(message) has no such field"
        case .unknownValue(let name, let type, _): "\(type) has no value '\(name)'"
        case .expected(let wanted, let found): "expected \(wanted), found \(found)"
        case .givenTwice: "the field is given twice"
        case .chosenTwice(let oneof, let other): "of the oneof \(oneof), \(other) is given already"
        case .unknownType(let name): "the definition of \(name) is not known"
        case .unsupported(let what): "\(what) are not supported"
        case .malformed(let error): "malformed message: \(error)"
        case .notText: "not UTF-8"
        case .tooDeep(let limit): "nested deeper than \(limit) messages"
        case .tooMany(let limit): "more than \(limit) values"
        }
    }

    /// The same, seen from what contains it: a field's name, or `[index]`.
    func within(_ component: String) -> MappingError {
        var error = self
        let separator = path.isEmpty || path.hasPrefix("[") ? "" : "."
        error.path = component + separator + path
        return error
    }

    static func expected(_ what: String, _ json: JSON) -> MappingError {
        let found =
            switch json {
            case .null: "null"
            case .bool: "a boolean"
            case .integer(let number): "\(number)"
            case .double(let number): "\(number)"
            case .string(let text): "the string \"\(text.prefix(40))\""
            case .array: "an array"
            case .object: "an object"
            }
        return MappingError(.expected(what, found: found))
    }
}

/// Runs `body`, whose errors are about a part of something.
func within<Result>(
    _ component: @autoclosure () -> String,
    _ body: () throws(MappingError) -> Result
) throws(MappingError) -> Result {
    do throws(MappingError) { return try body() } catch { throw error.within(component()) }
}
