// SPDX-License-Identifier: Apache-2.0

/// The tasks that wait for one thing, as part of a state that a lock guards. Waking says only: look again.
package struct WaitList {
    package typealias Waiter = UnsafeContinuation<Void, Never>

    private typealias Wait = (ticket: Int, waiter: Waiter)

    /// Nearly always there is one at most.
    private var only: Wait?
    /// Nil where there never were any, as mostly.
    private var others: [Wait]?
    /// Waits that were cancelled before they began; nil likewise.
    private var cancelled: [Int]?
    private var lastTicket = 0
    /// Somebody may wait: true from a wait's beginning until all are taken.
    package private(set) var hasWaiters = false

    package init() {}

    /// A number for a wait that is about to begin.
    package mutating func ticket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// Whether the waiter was put on the list; if not, the caller resumes it.
    package mutating func add(_ waiter: Waiter, _ ticket: Int) -> Bool {
        if let index = cancelled?.firstIndex(of: ticket) {
            cancelled?.remove(at: index)
            return false
        }
        hasWaiters = true
        guard only != nil else {
            only = (ticket, waiter)
            return true
        }
        if others == nil { others = [] }
        others?.append((ticket, waiter))
        return true
    }

    /// The waiter to resume because its task was cancelled.
    package mutating func cancel(_ ticket: Int) -> Waiter? {
        if let only, only.ticket == ticket {
            self.only = nil
            return only.waiter
        }
        guard let index = others?.firstIndex(where: { $0.ticket == ticket }) else {
            if cancelled == nil { cancelled = [] }
            cancelled?.append(ticket)
            return nil
        }
        return others?.remove(at: index).waiter
    }

    /// After the wait: forgets a cancellation that came too late to matter.
    package mutating func forget(_ ticket: Int) {
        cancelled?.removeAll { $0 == ticket }
    }

    /// All waiters, to be resumed outside the lock.
    package mutating func takeAll() -> Waiters {
        defer { only = nil }
        hasWaiters = false
        return Waiters(only: only?.waiter, others: others.take()?.map(\.waiter))
    }

    /// Those that are to be told.
    package struct Waiters {
        fileprivate let only: Waiter?
        fileprivate let others: [Waiter]?

        package static var none: Waiters { Waiters(only: nil, others: nil) }

        package func resume() {
            only?.resume()
            if let others { for waiter in others { waiter.resume() } }
        }
    }
}
