// SPDX-License-Identifier: Apache-2.0

/// A connection's open streams by their numbers.
///
/// A peer counts them up, so nearly always each has a place of its own by its last digits, and is found without hashing. A stream
/// whose place is taken is in the dictionary.
struct StreamTable {
    private var places: [StreamRecord?] = []
    private var others: [Int: StreamRecord] = [:]
    private(set) var count = 0

    private static let placeCount = 64

    subscript(id: Int32) -> StreamRecord? {
        if !places.isEmpty, let record = places[Self.place(of: id)], record.id == id { return record }
        return others.isEmpty ? nil : others[Int(id)]
    }

    /// - Precondition: There is none of the number.
    mutating func add(_ record: StreamRecord, as id: Int32) {
        record.id = id
        count += 1
        if places.isEmpty { places = Array(repeating: nil, count: Self.placeCount) }
        let place = Self.place(of: id)
        if places[place] == nil { places[place] = record } else { others[Int(id)] = record }
    }

    mutating func remove(_ id: Int32) -> StreamRecord? {
        guard let record = self[id] else { return nil }
        count -= 1
        let place = Self.place(of: id)
        if places[place] === record {
            places[place] = nil
        } else {
            others.removeValue(forKey: Int(id))
            // Of very many the room is not kept.
            if others.isEmpty, others.capacity > Self.placeCount { others = [:] }
        }
        return record
    }

    mutating func removeAll() -> [StreamRecord] {
        defer { self = StreamTable() }
        return places.compactMap { $0 } + others.values
    }

    /// All numbers of one side are odd or even.
    private static func place(of id: Int32) -> Int { Int(id >> 1) & (placeCount - 1) }
}
