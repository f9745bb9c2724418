// SPDX-License-Identifier: Apache-2.0

/// A connection's open streams by their numbers.
///
/// A peer counts them up, so nearly always each has a place of its own by its last digits, and is found without hashing. A stream
/// whose place is taken is in the dictionary.
struct StreamTable {
    private var places: [CallStream?] = []
    private var others: [Int: CallStream] = [:]
    private(set) var count = 0

    private static let placeCount = 64

    subscript(id: Int32) -> CallStream? {
        if !places.isEmpty, let call = places[Self.place(of: id)], call.id == id { return call }
        return others.isEmpty ? nil : others[Int(id)]
    }

    /// - Precondition: There is none of the number.
    mutating func add(_ call: CallStream, as id: Int32) {
        call.id = id
        count += 1
        if places.isEmpty { places = Array(repeating: nil, count: Self.placeCount) }
        let place = Self.place(of: id)
        if places[place] == nil { places[place] = call } else { others[Int(id)] = call }
    }

    mutating func remove(_ id: Int32) -> CallStream? {
        guard let call = self[id] else { return nil }
        count -= 1
        let place = Self.place(of: id)
        if places[place] === call {
            places[place] = nil
        } else {
            others.removeValue(forKey: Int(id))
            // Of very many the room is not kept.
            if others.isEmpty, others.capacity > Self.placeCount { others = [:] }
        }
        return call
    }

    mutating func removeAll() -> [CallStream] {
        defer { self = StreamTable() }
        return places.compactMap { $0 } + others.values
    }

    /// All numbers of one side are odd or even.
    private static func place(of id: Int32) -> Int { Int(id >> 1) & (placeCount - 1) }
}
