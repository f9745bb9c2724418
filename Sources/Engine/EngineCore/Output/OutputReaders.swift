// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// Who is reading which container's output at the moment, or is about to, so that its removal can wait for them.
final class OutputReaders: Sendable {
    /// How long one who has said that he will read may take to come.
    private static let patience = Duration.seconds(10)

    private struct State {
        var counts: [ContainerID: Int] = [:]
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

    func enter(_ id: ContainerID) {
        state.withLock { state in
            state.expected[id] = nil
            state.counts[id, default: 0] += 1
        }
    }

    func leave(_ id: ContainerID) {
        state.withLock { state in
            let left = (state.counts[id] ?? 1) - 1
            state.counts[id] = left == 0 ? nil : left
        }
        changes.announce()
    }

    /// Returns when nobody reads it any more and nobody is expected to, or after `limit`.
    func waitUntilGone(_ id: ContainerID, atMost limit: Duration) async {
        let end = ContinuousClock.now + limit
        while true {
            let seen = changes.version
            let now = ContinuousClock.now
            let (isRead, expected) = state.withLock { ($0.counts[id] != nil, $0.expected[id]) }
            let due = isRead ? end : min(end, expected ?? now)
            guard due > now else { break }
            await withinLimit(now.duration(to: due)) { [changes] in try await changes.wait(beyond: seen) }
            if Task.isCancelled { break }
        }
        state.withLock { $0.expected[id] = nil }
    }
}

/// Runs `work` until it ends, throws, or `limit` has passed; says whether it ended by itself.
@discardableResult
func withinLimit(_ limit: Duration, _ work: @Sendable @escaping () async throws -> Void) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
        group.addTask { (try? await work()) != nil }
        group.addTask {
            try? await Task.sleep(for: limit)
            return false
        }
        let isDone = await group.next() ?? false
        group.cancelAll()
        return isDone
    }
}
