// SPDX-License-Identifier: Apache-2.0

/// Runs all at the same time until the first one ends or fails; the others are cancelled.
/// - Throws: `CancellationError` when the caller was cancelled; the first one's error otherwise.
func firstOf(_ works: [@Sendable () async throws -> Void]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for work in works { group.addTask { try await work() } }
        defer { group.cancelAll() }
        _ = try await group.next()
    }
    try Task.checkCancellation()
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
