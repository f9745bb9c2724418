// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Synchronization

/// Provisional snapshots on their way to the disk: whoever asks for one to last waits for what was begun when it was made.
///
/// That one lasts is written down with the next transaction about snapshots: until then it is called provisional by the disk,
/// which to an owner who has a record of it means nothing.
final class SnapshotSyncs: Sendable {
    struct Begun: Sendable {
        let row: SnapshotRow
        let job: ThreadJob<Void>
    }

    private struct State {
        var begun: [SnapshotKey: Begun] = [:]
        /// By the names of their directories.
        var lasting: [String] = []
    }

    private let state = Mutex(State())

    func note(_ begun: Begun) { state.withLock { $0.begun[begun.row.key] = begun } }

    /// None where it was made by an earlier process, or asked for before.
    func take(_ key: SnapshotKey) -> Begun? { state.withLock { $0.begun.removeValue(forKey: key) } }

    func noteLasting(_ name: String) { state.withLock { $0.lasting.append(name) } }

    /// Within a transaction about snapshots. One that fails leaves them called provisional.
    func writeDown(_ db: Database) throws {
        let names = state.withLock { state in
            defer { state.lasting = [] }
            return state.lasting
        }
        for name in names { try Catalog.makeLasting(db, name) }
    }
}
