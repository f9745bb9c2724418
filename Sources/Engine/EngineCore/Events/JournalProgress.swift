// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// Which containers the supervisor has deleted on our behalf without our having read so in its journal yet.
final class JournalProgress: Sendable {
    private struct State {
        var expected: Set<ContainerID> = []
        /// Read before the answer to our call came.
        var early: Set<ContainerID> = []
        /// Whether something was stored since the position was last asked for.
        var hasNews = true
        var acknowledged = JournalPosition(journal: "", sequence: 0)
        /// Nothing of ours is left to come up to here.
        var quiet = JournalPosition(journal: "", sequence: 0)
    }

    /// More than that many deletions are never under way at a time.
    private static let earlyLimit = 4096

    private let state = Mutex(State())
    private let changes = Changes()

    /// The supervisor has answered that it deleted the container.
    func expectDeletion(of id: ContainerID) {
        state.withLock { state in
            if state.early.remove(id) == nil { state.expected.insert(id) }
        }
    }

    /// The journal said so.
    func noteDeletion(of id: ContainerID) {
        state.withLock { state in
            guard state.expected.remove(id) == nil else { return }
            if state.early.count >= JournalProgress.earlyLimit { state.early.removeAll() }
            state.early.insert(id)
        }
        changes.announce()
    }

    /// Returns when every event of the container has been stored, or after `limit`.
    func waitForDeletion(of id: ContainerID, atMost limit: Duration) async {
        await withinLimit(limit) { [self] in
            while true {
                let seen = changes.version
                if state.withLock({ !$0.expected.contains(id) }) { return }
                try await changes.wait(beyond: seen)
            }
        }
        state.withLock { _ = $0.expected.remove(id) }
    }

    /// An event was stored, or passed over.
    func noteStored() { state.withLock { $0.hasNews = true } }

    /// Whether there can be anything to acknowledge; false from then on, until something is stored.
    func takeNews() -> Bool {
        state.withLock { state in
            defer { state.hasNews = false }
            return state.hasNews
        }
    }

    /// The position, if it is another one than the last acknowledged.
    func toAcknowledge(_ position: JournalPosition) -> JournalPosition? {
        state.withLock { $0.acknowledged == position || position.sequence == 0 ? nil : position }
    }

    func noteAcknowledged(_ position: JournalPosition) {
        state.withLock { $0.acknowledged = position }
    }

    func isQuiet(upTo position: JournalPosition) -> Bool {
        state.withLock { $0.quiet.journal == position.journal && $0.quiet.sequence >= position.sequence }
    }

    func noteQuiet(upTo position: JournalPosition) { state.withLock { $0.quiet = position } }
}
