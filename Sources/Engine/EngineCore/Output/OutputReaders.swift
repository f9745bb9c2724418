// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// Who is reading which container's output at the moment, so that its removal can wait for them.
final class OutputReaders: Sendable {
    private let counts = Mutex<[ContainerID: Int]>([:])
    private let changes = Changes()

    func enter(_ id: ContainerID) { counts.withLock { $0[id, default: 0] += 1 } }

    func leave(_ id: ContainerID) {
        counts.withLock { counts in
            let left = (counts[id] ?? 1) - 1
            counts[id] = left == 0 ? nil : left
        }
        changes.announce()
    }

    /// Returns when nobody reads it any more, or after `limit`.
    func waitUntilGone(_ id: ContainerID, atMost limit: Duration) async {
        await withinLimit(limit) { [self] in
            while true {
                let seen = changes.version
                if counts.withLock({ $0[id] == nil }) { return }
                try await changes.wait(beyond: seen)
            }
        }
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
