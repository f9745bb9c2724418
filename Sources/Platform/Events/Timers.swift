// SPDX-License-Identifier: Apache-2.0

/// What is to be done later; a pure value.
struct Timers {
    private struct Entry {
        let dueNanos: Int64
        let body: @Sendable () -> Void
    }

    private var entries: [UInt64: Entry] = [:]
    /// When to look again, in boot time: never later than the first one is due. What is cancelled leaves it as it is,
    /// so that most of those that come and go cost nothing but their entry.
    private(set) var nextNanos: Int64?

    /// - Returns: Whether `nextNanos` is earlier now.
    mutating func add(_ token: UInt64, dueNanos: Int64, _ body: @escaping @Sendable () -> Void) -> Bool {
        entries[token] = Entry(dueNanos: dueNanos, body: body)
        if let nextNanos, nextNanos <= dueNanos { return false }
        nextNanos = dueNanos
        return true
    }

    mutating func cancel(_ token: UInt64) { entries[token] = nil }

    /// Takes out what is due, the earliest first.
    mutating func take(atBootNanos now: Int64) -> [@Sendable () -> Void] {
        guard let nextNanos, nextNanos <= now else { return [] }
        let due = entries.filter { $0.value.dueNanos <= now }
        for token in due.keys { entries[token] = nil }
        self.nextNanos = entries.values.lazy.map(\.dueNanos).min()
        return due.sorted { ($0.value.dueNanos, $0.key) < ($1.value.dueNanos, $1.key) }.map(\.value.body)
    }
}
