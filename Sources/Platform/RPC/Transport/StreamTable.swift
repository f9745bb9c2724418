// SPDX-License-Identifier: Apache-2.0

/// A connection's open streams by their numbers. What is asked for mostly is the stream of the frame before.
struct StreamTable {
    private var records: [Int: StreamRecord] = [:]
    private var last: (id: Int32, record: StreamRecord)?

    subscript(id: Int32) -> StreamRecord? {
        mutating get {
            if let last, last.id == id { return last.record }
            guard let record = records[Int(id)] else { return nil }
            last = (id, record)
            return record
        }
    }

    var count: Int { records.count }

    mutating func add(_ record: StreamRecord, as id: Int32) {
        records[Int(id)] = record
        last = (id, record)
    }

    mutating func remove(_ id: Int32) -> StreamRecord? {
        if last?.id == id { last = nil }
        return records.removeValue(forKey: Int(id))
    }

    mutating func removeAll() -> [StreamRecord] {
        defer {
            records = [:]
            last = nil
        }
        return Array(records.values)
    }
}
