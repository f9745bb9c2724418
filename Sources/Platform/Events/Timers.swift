// SPDX-License-Identifier: Apache-2.0
internal import HeapModule

/// One call that is still to come, of an event loop or a poller.
package final class Timer: @unchecked Sendable {
    fileprivate let dueNanos: Int64
    fileprivate let number: Int
    /// Nil once it is called or cancelled. Under the lock of who keeps the time.
    fileprivate var body: (@Sendable () -> Void)?

    fileprivate init(_ dueNanos: Int64, _ number: Int, _ body: @escaping @Sendable () -> Void) {
        self.dueNanos = dueNanos
        self.number = number
        self.body = body
    }
}

/// What is to be done later. Its owner guards it by a lock, and calls nobody under it.
struct Timers {
    private struct Entry: Comparable {
        let timer: Timer

        static func < (one: Entry, other: Entry) -> Bool {
            (one.timer.dueNanos, one.timer.number) < (other.timer.dueNanos, other.timer.number)
        }

        static func == (one: Entry, other: Entry) -> Bool { one.timer === other.timer }
    }

    /// Also what was cancelled: most of those that come and go are never looked for here.
    private var order = Heap<Entry>()
    /// Of those that were not cancelled.
    private var count = 0
    private var lastNumber = 0

    /// More of what was cancelled than of what was not is kept up to this number.
    private static let keptCount = 64

    /// When to look again, in boot time: never later than the first one is due.
    var nextNanos: Int64? { order.min?.timer.dueNanos }

    /// - Returns: The timer, and whether `nextNanos` is earlier now.
    mutating func add(
        dueNanos: Int64,
        _ body: @escaping @Sendable () -> Void
    ) -> (timer: Timer, isFirst: Bool) {
        let isFirst = nextNanos.map { dueNanos < $0 } ?? true
        if order.count > 2 * count + Self.keptCount {
            order = Heap(order.unordered.filter { $0.timer.body != nil })
        }
        lastNumber += 1
        count += 1
        let timer = Timer(dueNanos, lastNumber, body)
        order.insert(Entry(timer: timer))
        return (timer, isFirst)
    }

    /// - Returns: What is not called now, for the caller to let go of where no lock is held.
    mutating func cancel(_ timer: Timer) -> (@Sendable () -> Void)? {
        guard let body = timer.body.take() else { return nil }
        count -= 1
        if count == 0 { order = Heap() }
        return body
    }

    /// Takes out the earliest of those that are due.
    mutating func takeNext(atBootNanos now: Int64) -> (@Sendable () -> Void)? {
        while let first = order.min, first.timer.dueNanos <= now {
            order.removeMin()
            guard let body = first.timer.body.take() else { continue }
            count -= 1
            return body
        }
        return nil
    }
}
