// SPDX-License-Identifier: Apache-2.0

/// Name and value pairs that travel beside a call's messages, in order; a name may occur more than once.
///
/// Names are lower case, and found however they are written. The values of names that end in `-bin` are
/// bytes, the others are printable ASCII.
package struct Metadata: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package enum Content: Hashable, Sendable {
        case text(String)
        case bytes([UInt8])
    }

    package struct Entry: Hashable, Sendable {
        package let name: String
        package let value: Content
    }

    /// Nil when there are none, as mostly: that takes nothing to make, copy or drop.
    private var list: [Entry]?

    package var entries: [Entry] { list ?? [] }

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(value, for: name) }
    }

    /// The first text of a name; setting replaces them all.
    package subscript(name: String) -> String? {
        get {
            guard let list else { return nil }
            let name = Self.lowerCase(name)
            for entry in list where entry.name == name {
                if case .text(let text) = entry.value { return text }
            }
            return nil
        }
        set {
            let name = Self.lowerCase(name)
            list?.removeAll { $0.name == name }
            if list?.isEmpty == true { list = nil }
            if let newValue { add(newValue, for: name) }
        }
    }

    /// The first bytes of a name that ends in `-bin`.
    package func bytes(_ name: String) -> [UInt8]? {
        let name = Self.lowerCase(name)
        for entry in entries where entry.name == name {
            if case .bytes(let bytes) = entry.value { return bytes }
        }
        return nil
    }

    package mutating func add(_ text: String, for name: String) {
        add(.text(text), name)
    }

    /// `name` must end in `-bin`, otherwise the peer will take the value for text.
    package mutating func add(_ bytes: [UInt8], for name: String) {
        add(.bytes(bytes), name)
    }

    private mutating func add(_ value: Content, _ name: String) {
        if list == nil { list = [] }
        list?.append(Entry(name: name.lowercased(), value: value))
    }

    /// Nearly every name is in lower case already, and needs no copy.
    private static func lowerCase(_ name: String) -> String {
        name.utf8.contains { (0x41...0x5a).contains($0) } ? name.lowercased() : name
    }

    package var isEmpty: Bool { list == nil }

    /// Whether entries of a name travel: it is a name, and none that HTTP or gRPC have for themselves. Others are left out.
    package static func carries(_ name: String) -> Bool { HeaderBlock.isAllowed(name.lowercased()) }
}
