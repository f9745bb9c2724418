// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The members of an object in order, each key once. Two objects are equal when their members are, in any order.
    package struct Object: Sendable {
        /// In the order of the text, or of insertion.
        private var members: [(key: String, value: JSON)] = []
        /// Where each key is, once there are more than are looked through faster.
        private var places: [String: Int] = [:]
        private static let fewCount = 16

        package init() {}

        /// Of two members with one key the later counts.
        package init(_ members: [(String, JSON)]) {
            reserveCapacity(members.count)
            for (key, value) in members { self[key] = value }
        }

        package var count: Int { members.count }
        package var isEmpty: Bool { members.isEmpty }
        /// In order.
        package var keys: [String] { members.map(\.key) }

        /// Setting nil removes the member; a new key goes to the end.
        package subscript(key: String) -> JSON? {
            get { place(of: key).map { members[$0].value } }
            set {
                if let newValue {
                    if let place = place(of: key) {
                        members[place].value = newValue
                    } else {
                        append(key, newValue)
                    }
                } else if let place = place(of: key) {
                    members.remove(at: place)
                    if !places.isEmpty { index() }
                }
            }
        }

        mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }

        /// Adds a member at the end.
        /// - Returns: False, with nothing changed, where the key is there already.
        mutating func add(_ key: String, _ value: JSON) -> Bool {
            guard place(of: key) == nil else { return false }
            append(key, value)
            return true
        }

        private mutating func append(_ key: String, _ value: JSON) {
            members.append((key, value))
            if !places.isEmpty { places[key] = members.count - 1 } else if count > Self.fewCount { index() }
        }

        private mutating func index() {
            places = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.key, $0) })
        }

        private func place(of key: String) -> Int? {
            places.isEmpty ? members.firstIndex { $0.key == key } : places[key]
        }
    }
}

extension JSON.Object: Hashable {
    package static func == (left: JSON.Object, right: JSON.Object) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        // The same in any order.
        var sum = 0
        for (key, value) in members {
            var member = Hasher()
            member.combine(key)
            member.combine(value)
            sum &+= member.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSON.Object: Sequence {
    /// Goes over the members in order.
    package func makeIterator() -> IndexingIterator<[(key: String, value: JSON)]> { members.makeIterator() }
}

extension JSON.Object: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
