// SPDX-License-Identifier: Apache-2.0

/// What has an empty value that means "not given".
package protocol EmptyValue {
    init()
}

extension Array: EmptyValue {}
extension Dictionary: EmptyValue {}
extension String: EmptyValue {}

/// A stored field that rows written before its time do not have: read from those, it has its type's empty value.
@propertyWrapper
package struct Added<Value: Codable & Hashable & Sendable & EmptyValue>: Codable, Hashable, Sendable {
    package var wrappedValue: Value

    package init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws { wrappedValue = try Value(from: decoder) }

    package func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension KeyedDecodingContainer {
    /// Chosen by the compiler for the fields that it decodes itself.
    package func decode<Value>(_ type: Added<Value>.Type, forKey key: Key) throws -> Added<Value> {
        Added(wrappedValue: try decodeIfPresent(Value.self, forKey: key) ?? Value())
    }
}
