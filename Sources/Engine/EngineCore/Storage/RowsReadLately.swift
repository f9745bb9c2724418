// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Synchronization

/// The containers' rows as they were last read, with the texts that they were read from: reading JSON takes far longer
/// than reading the texts, which are the same as a rule. Holds no more rows than there were when all were read, or a few.
final class RowsReadLately: Sendable {
    /// What a row has as JSON.
    struct Texts: Hashable, Sendable {
        let settings: String
        let resolved: String

        init(of row: ContainerRow) throws {
            settings = try StoredJSON.text(row.settings)
            resolved = try StoredJSON.text(row.resolved)
        }

        init(in row: Row) {
            settings = row["settings"]
            resolved = row["resolved"]
        }
    }

    private struct Entry {
        let texts: Texts
        let row: ContainerRow
    }

    private let entries = Mutex<[String: Entry]>([:])
    private static let fewCount = 16

    /// All of them, newest first, as the database has them now.
    func all(_ db: Database) throws -> [ContainerRow] {
        let before = entries.withLock { $0 }
        var now: [String: Entry] = [:]
        now.reserveCapacity(before.count)
        var rows: [ContainerRow] = []
        let cursor = try Row.fetchCursor(db, sql: "SELECT * FROM containers ORDER BY created_at DESC, id")
        while let row = try cursor.next() {
            let entry = try Self.entry(row) { before[$0] }
            now[entry.row.id.text] = entry
            rows.append(entry.row)
        }
        entries.withLock { [now] in $0 = now }
        return rows
    }

    /// One of them.
    func one(_ row: Row) throws -> ContainerRow {
        let entry = try Self.entry(row) { id in entries.withLock { $0[id] } }
        keep(entry)
        return entry.row
    }

    /// One that is being written.
    func note(_ row: ContainerRow, _ texts: Texts) { keep(Entry(texts: texts, row: row)) }

    private func keep(_ entry: Entry) {
        let id = entry.row.id.text
        entries.withLock { entries in
            // It takes another's place.
            if entries.count >= Self.fewCount, entries[id] == nil { entries.remove(at: entries.startIndex) }
            entries[id] = entry
        }
    }

    private static func entry(_ row: Row, known: (String) -> Entry?) throws -> Entry {
        let texts = Texts(in: row)
        guard let entry = known(row["id"]), entry.texts == texts else {
            return Entry(texts: texts, row: try ContainerRow(row))
        }
        let container = try ContainerRow(row, settings: entry.row.settings, resolved: entry.row.resolved)
        return Entry(texts: texts, row: container)
    }
}
