// SPDX-License-Identifier: Apache-2.0

/// One at a time for each key. Whoever waits for a turn looks afterwards at what the one before has achieved: so any
/// number of pulls make one download, and a cancelled one hands over to the next.
///
/// Keys are taken in the order layer, blob; nobody who holds a blob waits for a layer.
actor Turns {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    /// Keys that are taken, with those who wait.
    private var taken: [String: [Waiter]] = [:]
    private var lastID: UInt64 = 0

    /// Runs `body` when it is its turn.
    /// - Throws: `CancellationError` when cancelled before; otherwise what `body` throws.
    nonisolated func take<R: Sendable>(_ key: String, _ body: () async throws -> R) async throws -> R {
        guard await enter(key) else { throw CancellationError() }
        do {
            let result = try await body()
            await leave(key)
            return result
        } catch {
            await leave(key)
            throw error
        }
    }

    private func enter(_ key: String) async -> Bool {
        guard taken[key] != nil else {
            taken[key] = []
            return true
        }
        lastID += 1
        let id = lastID
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(returning: false)
                } else {
                    taken[key, default: []].append(Waiter(id: id, continuation: continuation))
                }
            }
        } onCancel: {
            // Clean-up that outlives cancellation: the actor has to be entered to take the waiter out.
            Task { await self.giveUp(key, id) }
        }
    }

    private func leave(_ key: String) {
        guard var waiters = taken[key] else { return }
        guard !waiters.isEmpty else {
            taken[key] = nil
            return
        }
        let next = waiters.removeFirst()
        taken[key] = waiters
        next.continuation.resume(returning: true)
    }

    private func giveUp(_ key: String, _ id: UInt64) {
        guard let index = taken[key]?.firstIndex(where: { $0.id == id }) else { return }
        taken[key]?.remove(at: index).continuation.resume(returning: false)
    }
}
