// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Provisional snapshots on their way to the disk: whoever asks for one to last waits for what was begun when it was made.
///
/// That one lasts is written down with the next transaction about snapshots, or at the end: until then it is called provisional
/// by the disk, and an owner who has a record of it may ask again.
final class SnapshotSyncs: Sendable {
    struct Begun: Sendable {
        let row: SnapshotRow
        let job: ThreadJob<Void>
    }

    private struct State {
        var begun: [SnapshotKey: Begun] = [:]
        /// By the names of their directories.
        var lasting: Set<String> = []
    }

    private let state = Mutex(State())

    func note(_ begun: Begun) { state.withLock { $0.begun[begun.row.key] = begun } }

    /// None where it was made by an earlier process, or asked for before.
    func take(_ key: SnapshotKey) -> Begun? { state.withLock { $0.begun.removeValue(forKey: key) } }

    func noteLasting(_ name: String) { state.withLock { _ = $0.lasting.insert(name) } }

    /// What is to be written down.
    var lasting: Set<String> { state.withLock { $0.lasting } }

    func noteWritten(_ names: Set<String>) { state.withLock { $0.lasting.subtract(names) } }
}
