// SPDX-License-Identifier: Apache-2.0
package import ImageStoreCore

/// Runs `during`, and tells meanwhile what changed on the board, ten times a second at most.
///
/// What becomes of `during` is the result. A client that does not listen delays nothing before the end, and one that is
/// gone has its call cancelled, which `during` notices by itself.
package func reporting<R: Sendable>(
    _ board: ProgressBoard,
    _ tell: @escaping @Sendable (Progress) async throws -> Void,
    during: () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: [Progress].self) { group in
        group.addTask {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
                let changes = board.changes()
                for (index, progress) in changes.enumerated() {
                    // Cut off by the end of the work, as a rule: then the rest is told below.
                    do { try await tell(progress) } catch { return Array(changes[index...]) }
                }
            }
            return []
        }
        let result = try await during()
        group.cancelAll()
        let untold = try await group.next() ?? []
        for progress in untold + board.changes() { try await tell(progress) }
        return result
    }
}
