// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Synchronization

/// The containers' rows as they were last read, with the texts that they were read from: reading JSON takes far longer
/// than reading the texts, which are the same as a rule. Holds no more rows than there were then.
final class RowsReadLately: Sendable {
    private struct Entry {
        let settings: String
        let resolved: String
        let row: ContainerRow
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// All of them, newest first, as the database has them now.
    func all(_ db: Database) throws -> [ContainerRow] {
        let before = entries.withLock { $0 }
        var now: [String: Entry] = [:]
        now.reserveCapacity(before.count)
        var rows: [ContainerRow] = []
        let cursor = try Row.fetchCursor(db, sql: "SELECT * FROM containers ORDER BY created_at DESC, id")
        while let row = try cursor.next() {
            let id: String = row["id"]
            let settings: String = row["settings"]
            let resolved: String = row["resolved"]
            let container: ContainerRow
            if let entry = before[id], entry.settings == settings, entry.resolved == resolved {
                container = try ContainerRow(row, settings: entry.row.settings, resolved: entry.row.resolved)
            } else {
                container = try ContainerRow(row)
            }
            now[id] = Entry(settings: settings, resolved: resolved, row: container)
            rows.append(container)
        }
        entries.withLock { [now] in $0 = now }
        return rows
    }
}
