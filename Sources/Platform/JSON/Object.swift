// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The members of an object in order, each key once. Two objects are equal when their members are, in any order.
    package struct Object: Sendable {
        /// In the order of the text, or of insertion.
        package private(set) var keys: [String] = []
        private var values: [String: JSON] = [:]

        package init() {}

        /// Of two members with one key the later counts.
        package init(_ members: [(String, JSON)]) {
            for (key, value) in members { self[key] = value }
        }

        package var count: Int { keys.count }
        package var isEmpty: Bool { keys.isEmpty }

        /// Setting nil removes the member; a new key goes to the end.
        package subscript(key: String) -> JSON? {
            get { values[key] }
            set {
                if let newValue {
                    if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
                } else if values.removeValue(forKey: key) != nil {
                    keys.removeAll { $0 == key }
                }
            }
        }
    }
}

extension JSON.Object: Hashable {
    package static func == (left: JSON.Object, right: JSON.Object) -> Bool { left.values == right.values }
    package func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

extension JSON.Object: Sequence {
    /// Goes over the members in order.
    package func makeIterator() -> AnyIterator<(key: String, value: JSON)> {
        var position = 0
        return AnyIterator {
            guard position < keys.count else { return nil }
            let key = keys[position]
            position += 1
            return values[key].map { (key: key, value: $0) }
        }
    }
}

extension JSON.Object: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
