// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// A place in the specification while it is read: the value, or nothing (`null` counts as nothing), and its path.
struct SpecNode {
    /// Put into words only where something is wrong there.
    private indirect enum Place {
        case named(String)
        case member(of: Place, String)
        case element(of: Place, Int)

        var path: String {
            switch self {
            case .named(let path): return path
            case .member(let owner, let key):
                let path = owner.path
                return path.isEmpty ? key : path + "." + key
            case .element(let owner, let index): return "\(owner.path)[\(index)]"
            }
        }
    }

    let value: JSON?
    private let place: Place
    var path: String { place.path }

    init(_ value: JSON?, path: String) { self.init(value, .named(path)) }

    private init(_ value: JSON?, _ place: Place) {
        if case .null = value { self.value = nil } else { self.value = value }
        self.place = place
    }

    var isPresent: Bool { value != nil }

    func error(_ problem: String) -> SpecError { SpecError(path: path, problem: problem) }

    /// A member of an object; nothing where there is none.
    subscript(key: String) -> SpecNode { SpecNode(value?[key], .member(of: place, key)) }

    /// Nothing, or an object.
    func checkObject() throws(SpecError) {
        if let value, value.object == nil { throw error("must be an object") }
    }

    // MARK: - Scalars

    func string() throws(SpecError) -> String? {
        guard let value else { return nil }
        guard let text = value.string else { throw error("must be a string") }
        guard !text.utf8.contains(0) else { throw error("must not contain a NUL character") }
        return text
    }

    func requiredString() throws(SpecError) -> String {
        guard let text = try string(), !text.isEmpty else { throw error("must be given") }
        return text
    }

    func bool() throws(SpecError) -> Bool? {
        guard let value else { return nil }
        guard let bool = value.bool else { throw error("must be true or false") }
        return bool
    }

    /// A whole number that the type can hold.
    func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(SpecError) -> Number? {
        switch value {
        case nil: return nil
        case .integer(let number):
            guard let exact = Number(exactly: number) else { throw outOfRange(Number.self) }
            return exact
        case .double(let number):
            if let exact = Number(exactly: number) { return exact }
            // 2^64 - 1 ("unlimited" to Go programs) is no double; it was rounded up by one.
            if Number.self == UInt64.self, number == 0x1p64 { return Number.max }
            guard number == number.rounded() else { throw error("must be a whole number") }
            throw outOfRange(Number.self)
        default: throw error("must be a number")
        }
    }

    func requiredNumber<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(SpecError)
        -> Number
    {
        guard let number = try number(type) else { throw error("must be given") }
        return number
    }

    private func outOfRange<Number: FixedWidthInteger>(_ type: Number.Type) -> SpecError {
        error("must be from \(Number.min) to \(Number.max)")
    }

    /// A value of an enumeration that is spelled as its raw value.
    func choice<Choice>(_ type: Choice.Type = Choice.self) throws(SpecError) -> Choice?
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        guard let text = try string(), !text.isEmpty else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("unknown value \"\(text)\"; known are \(known)")
        }
        return choice
    }

    func requiredChoice<Choice>(_ type: Choice.Type = Choice.self) throws(SpecError) -> Choice
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        guard let choice = try choice(type) else { throw error("must be given") }
        return choice
    }

    // MARK: - Collections

    /// The elements of an array; none where there is nothing.
    func list<Element>(_ read: (SpecNode) throws(SpecError) -> Element) throws(SpecError) -> [Element] {
        guard let value else { return [] }
        guard let array = value.array else { throw error("must be an array") }
        var result: [Element] = []
        result.reserveCapacity(array.count)
        for (index, element) in array.enumerated() {
            result.append(try read(SpecNode(element, .element(of: place, index))))
        }
        return result
    }

    func strings() throws(SpecError) -> [String] {
        try list { node throws(SpecError) in
            guard let text = try node.string() else { throw node.error("must be a string") }
            return text
        }
    }

    /// An object of strings; empty where there is nothing.
    func texts() throws(SpecError) -> [String: String] {
        try checkObject()
        var result: [String: String] = [:]
        for key in value?.object?.keys ?? [] {
            guard !key.utf8.contains(0) else { throw error("a key must not contain a NUL character") }
            result[key] = try self[key].string() ?? ""
        }
        return result
    }

    /// What `read` makes of the object here; nil where there is nothing.
    func object<Value>(_ read: (SpecNode) throws(SpecError) -> Value) throws(SpecError) -> Value? {
        try checkObject()
        return isPresent ? try read(self) : nil
    }
}

extension JSON.Object {
    /// Adds the members that have a value: nil, `false` where that is the default, and empty collections are left out.
    mutating func add(_ key: String, _ text: String?) {
        if let text, !text.isEmpty { self[key] = .string(text) }
    }

    mutating func add(_ key: String, _ flag: Bool) {
        if flag { self[key] = true }
    }

    mutating func add<Number: FixedWidthInteger>(_ key: String, _ number: Number?) {
        if let number { self[key] = Int64(exactly: number).map(JSON.integer) ?? .double(Double(number)) }
    }

    mutating func add(_ key: String, _ texts: [String]) {
        if !texts.isEmpty { self[key] = .array(texts.map(JSON.string)) }
    }

    mutating func add(_ key: String, _ elements: [JSON]) {
        if !elements.isEmpty { self[key] = .array(elements) }
    }

    mutating func add(_ key: String, _ texts: [String: String]) {
        guard !texts.isEmpty else { return }
        self[key] = .object(JSON.Object(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    mutating func add(_ key: String, _ object: JSON.Object?) {
        if let object, !object.isEmpty { self[key] = .object(object) }
    }
}
