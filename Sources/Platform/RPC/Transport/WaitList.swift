// SPDX-License-Identifier: Apache-2.0

/// The tasks that wait for one thing, as part of a state that a lock guards. Waking says only: look again.
struct WaitList {
    typealias Waiter = UnsafeContinuation<Void, Never>

    private var waiting: [(ticket: Int, waiter: Waiter)] = []
    /// Waits that were cancelled before they began.
    private var cancelled: [Int] = []
    private var lastTicket = 0

    /// A number for a wait that is about to begin.
    mutating func ticket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// Whether the waiter was put on the list; if not, the caller resumes it.
    mutating func add(_ waiter: Waiter, _ ticket: Int) -> Bool {
        if let index = cancelled.firstIndex(of: ticket) {
            cancelled.remove(at: index)
            return false
        }
        waiting.append((ticket, waiter))
        return true
    }

    /// The waiter to resume because its task was cancelled.
    mutating func cancel(_ ticket: Int) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else {
            cancelled.append(ticket)
            return nil
        }
        return waiting.remove(at: index).waiter
    }

    /// After the wait: forgets a cancellation that came too late to matter.
    mutating func forget(_ ticket: Int) { cancelled.removeAll { $0 == ticket } }

    /// All waiters, to be resumed outside the lock.
    mutating func takeAll() -> [Waiter] {
        guard !waiting.isEmpty else { return [] }
        defer { waiting = [] }
        return waiting.map(\.waiter)
    }
}
