// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// Who is reading which container's output at the moment, or is about to, so that its removal can wait for them.
final class OutputReaders: Sendable {
    /// How long one who has said that he will read may take to come.
    private static let patience = Duration.seconds(10)

    private struct State {
        var counts: [ContainerID: Int] = [:]
        /// Of these, how many want every byte, however long that takes them.
        var holders: [ContainerID: Int] = [:]
        /// Until when somebody is waited for.
        var expected: [ContainerID: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())
    private let changes = Changes()

    /// Somebody will read it, who does not know its id yet.
    func expect(_ id: ContainerID) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.expected = state.expected.filter { $0.value > now }
            state.expected[id] = now + Self.patience
        }
    }

    /// Nobody will after all.
    func stopExpecting(_ id: ContainerID) {
        state.withLock { $0.expected[id] = nil }
        changes.announce()
    }

    func enter(_ id: ContainerID, holds: Bool = false) {
        state.withLock { state in
            state.expected[id] = nil
            state.counts[id, default: 0] += 1
            if holds { state.holders[id, default: 0] += 1 }
        }
    }

    func leave(_ id: ContainerID, holds: Bool = false) {
        state.withLock { state in
            Self.count(down: &state.counts[id])
            if holds { Self.count(down: &state.holders[id]) }
        }
        changes.announce()
    }

    private static func count(down count: inout Int?) {
        let left = (count ?? 1) - 1
        count = left == 0 ? nil : left
    }

    /// Returns when nobody reads it any more and nobody is expected to, or after `limit`. Who wants every byte is waited for
    /// without limit: he ends with his connection.
    func waitUntilGone(_ id: ContainerID, atMost limit: Duration) async {
        let end = ContinuousClock.now + limit
        while true {
            let seen = changes.version
            let now = ContinuousClock.now
            let (isRead, isHeld, expected) = state.withLock {
                ($0.counts[id] != nil, $0.holders[id] != nil, $0.expected[id])
            }
            let due = isHeld ? now + Self.patience : isRead ? end : min(end, expected ?? now)
            guard due > now else { break }
            await withinLimit(now.duration(to: due)) { [changes] in try await changes.wait(beyond: seen) }
            if Task.isCancelled { break }
        }
        state.withLock { $0.expected[id] = nil }
    }
}
