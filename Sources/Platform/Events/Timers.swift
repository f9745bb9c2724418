// SPDX-License-Identifier: Apache-2.0
internal import HeapModule

/// What is to be done later; a pure value.
struct Timers {
    private struct Entry: Comparable {
        let dueNanos: Int64
        let token: UInt64

        static func < (one: Entry, other: Entry) -> Bool {
            (one.dueNanos, one.token) < (other.dueNanos, other.token)
        }
    }

    private var bodies: [UInt64: @Sendable () -> Void] = [:]
    /// Also of what was cancelled: most of those that come and go are never looked for here.
    private var order = Heap<Entry>()

    /// More of what was cancelled than of what was not is kept up to this number.
    private static let keptCount = 64

    /// When to look again, in boot time: never later than the first one is due.
    var nextNanos: Int64? { order.min?.dueNanos }

    /// - Parameter token: Another one for each.
    /// - Returns: Whether `nextNanos` is earlier now.
    mutating func add(_ token: UInt64, dueNanos: Int64, _ body: @escaping @Sendable () -> Void) -> Bool {
        let isFirst = nextNanos.map { dueNanos < $0 } ?? true
        if order.count > 2 * bodies.count + Self.keptCount {
            order = Heap(order.unordered.filter { bodies[$0.token] != nil })
        }
        bodies[token] = body
        order.insert(Entry(dueNanos: dueNanos, token: token))
        return isFirst
    }

    /// - Returns: What is not called now, for the caller to let go of where no lock is held.
    mutating func cancel(_ token: UInt64) -> (@Sendable () -> Void)? {
        defer { if bodies.isEmpty { order = Heap() } }
        return bodies.removeValue(forKey: token)
    }

    /// Takes out what is due, the earliest first.
    mutating func take(atBootNanos now: Int64) -> [@Sendable () -> Void] {
        var due: [@Sendable () -> Void] = []
        while let first = order.min, first.dueNanos <= now {
            order.removeMin()
            if let body = bodies.removeValue(forKey: first.token) { due.append(body) }
        }
        return due
    }
}
