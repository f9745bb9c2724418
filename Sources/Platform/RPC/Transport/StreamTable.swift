// SPDX-License-Identifier: Apache-2.0

/// A connection's open streams by their numbers. It owns the calls in it.
///
/// A peer counts them up, so nearly always each has a place of its own by its last digits, and is found without hashing. A stream
/// whose place is taken is in the dictionary.
struct StreamTable: ~Copyable {
    /// Each holds a reference. They are looked up nine times for each call, and counting that costs more than finding them.
    private let places: UnsafeMutableBufferPointer<Unmanaged<CallStream>?>
    private var others: [Int: CallStream] = [:]
    private(set) var count = 0

    private static let placeCount = 64

    init() {
        places = .allocate(capacity: Self.placeCount)
        places.initialize(repeating: nil)
    }

    deinit {
        for place in places { place?.release() }
        places.deallocate()
    }

    subscript(id: Int32) -> CallStream? {
        if let call = places[Self.place(of: id)]?.takeUnretainedValue(), call.id == id { return call }
        return others.isEmpty ? nil : others[Int(id)]
    }

    func has(_ id: Int32) -> Bool { with(id) { _ in true } ?? false }

    /// Calls `body` with the call of a number, if there is one. Nothing is counted, so `body` must not take it from the table.
    @inline(__always)
    func with<Result>(_ id: Int32, _ body: (CallStream) -> Result) -> Result? {
        if let call = places[Self.place(of: id)] {
            let result = call._withUnsafeGuaranteedRef { call in call.id == id ? body(call) : nil }
            if let result { return result }
        }
        return others.isEmpty ? nil : others[Int(id)].map(body)
    }

    func forEach(_ body: (CallStream) -> Void) {
        for place in places { place?._withUnsafeGuaranteedRef(body) }
        for call in others.values { body(call) }
    }

    /// - Precondition: There is none of the number.
    mutating func add(_ call: CallStream, as id: Int32) {
        call.id = id
        count += 1
        let place = Self.place(of: id)
        if places[place] == nil {
            places[place] = .passRetained(call)
        } else {
            others[Int(id)] = call
        }
    }

    mutating func remove(_ id: Int32) -> CallStream? {
        let place = Self.place(of: id)
        if let found = places[place], found._withUnsafeGuaranteedRef({ $0.id == id }) {
            places[place] = nil
            count -= 1
            return found.takeRetainedValue()
        }
        guard let call = others.removeValue(forKey: Int(id)) else { return nil }
        count -= 1
        // Of very many the room is not kept.
        if others.isEmpty, others.capacity > Self.placeCount { others = [:] }
        return call
    }

    mutating func removeAll() -> [CallStream] {
        defer { others = [:] }
        count = 0
        var calls = Array(others.values)
        for index in places.indices {
            guard let call = places[index] else { continue }
            places[index] = nil
            calls.append(call.takeRetainedValue())
        }
        return calls
    }

    /// All numbers of one side are odd or even.
    private static func place(of id: Int32) -> Int { Int(id >> 1) & (placeCount - 1) }
}
