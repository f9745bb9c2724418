// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Objects of one kind as a table, as JSON lines, or through a template: one set of fields for all three.
package struct Listing: Sendable {
    package struct Column: Hashable, Sendable {
        package let field: String
        package let heading: String

        package init(_ field: String, _ heading: String) {
            self.field = field
            self.heading = heading
        }
    }

    private let columns: [Column]
    private let rows: [JSON.Object]

    package init(columns: [Column], rows: [JSON.Object]) {
        self.columns = columns
        self.rows = rows
    }

    /// - Parameter format: `table`, `json`, a template, or `table` followed by a template with tabs.
    package func lines(format: String) throws(Failure) -> [String] {
        if format == "json" || format == "{{json .}}" {
            return rows.map { String(decoding: JSON.object($0).serialized(), as: UTF8.self) }
        }
        if format == "table" {
            var table = Table(columns.map(\.heading))
            for row in rows { table.add(columns.map { row[$0.field]?.string ?? "" }) }
            return table.lines
        }
        guard format.hasPrefix("table ") else {
            let template = try Template(format)
            return rows.map { template.text(of: .object($0)) }
        }
        let template = try Template(String(format.dropFirst(6)))
        let heading = template.fieldNames.map { name in
            columns.first { $0.field == name }?.heading ?? name.uppercased()
        }
        var table = Table(heading)
        for row in rows {
            let text = template.text(of: .object(row))
            table.add(text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init))
        }
        return table.lines
    }
}
