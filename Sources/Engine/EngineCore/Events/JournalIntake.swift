// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization
internal import System

/// Events of the supervisor's journal between their coming and their being stored, in order.
///
/// They are stored by the batch: what a start or an exec tells comes within milliseconds, and one transaction for each event
/// would keep the calls that caused them waiting. One reader and one writer; bounded.
final class JournalIntake: Sendable {
    private struct State {
        var events: [JournalEvent] = []
        /// Somebody waits for one of them.
        var isUrgent = false
    }

    private static let limit = 256
    /// How long the first one waits for others, where nobody waits for it.
    private static let gatheringNanos: Int64 = 3_000_000

    private let state = Mutex(State())
    private let changes = Changes()

    /// Adds one; waits for room.
    /// - Throws: `CancellationError`.
    func add(_ event: JournalEvent) async throws {
        while true {
            let seen = changes.version
            let isAdded = state.withLock { state in
                guard state.events.count < JournalIntake.limit else { return false }
                state.events.append(event)
                if event.isAwaited { state.isUrgent = true }
                return true
            }
            if isAdded { return changes.announce() }
            try await changes.wait(beyond: seen)
        }
    }

    /// All there are, once there is one and others have had time to come. Rightly endless.
    /// - Throws: `CancellationError`.
    func next() async throws -> [JournalEvent] {
        var deadline: Int64?
        while true {
            let seen = changes.version
            let now = Clock.bootNanos
            let (taken, isEmpty) = state.withLock { state -> ([JournalEvent], Bool) in
                guard state.isUrgent || deadline.map({ now >= $0 }) ?? false else {
                    return ([], state.events.isEmpty)
                }
                defer { state = State() }
                return (state.events, false)
            }
            if !taken.isEmpty {
                changes.announce()
                return taken
            }
            if !isEmpty, deadline == nil { deadline = now + JournalIntake.gatheringNanos }
            try await changes.wait(beyond: seen, untilBootNanos: deadline)
        }
    }
}

extension JournalEvent {
    /// A removal goes on when it is stored.
    fileprivate var isAwaited: Bool { action == .delete || action == .removalWanted }
}
