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
    /// Of each row, for `.Label "name"`; empty where rows have none.
    private let labels: [[String: String]]

    package init(columns: [Column], rows: [JSON.Object], labels: [[String: String]] = []) {
        self.columns = columns
        self.rows = rows
        self.labels = labels
    }

    /// - Parameter format: `table`, `json`, a template, or `table` followed by a template with tabs.
    /// - Parameter width: What a table has to fit into; nil for no limit.
    package func lines(format: String, width: Int? = nil) throws(Failure) -> [String] {
        if format == "json" || format == "{{json .}}" {
            return rows.map { String(decoding: JSON.object($0).serialized(), as: UTF8.self) }
        }
        if format == "table" || format.isEmpty {
            var table = Table(columns.map(\.heading))
            for row in rows { table.add(columns.map { TemplateFunctions.text(row[$0.field] ?? "") }) }
            return table.lines(width: width)
        }
        guard format.hasPrefix("table ") else { return try texts(Template(format)) }
        let template = try Template(String(format.dropFirst(6)))
        var table = Table(cells(heading(template)))
        for text in try texts(template) { table.add(cells(text)) }
        return table.lines(width: width)
    }

    private func texts(_ template: Template) throws(Failure) -> [String] {
        var texts: [String] = []
        for (index, row) in rows.enumerated() {
            let labels = labels.indices.contains(index) ? labels[index] : [:]
            texts.append(try template.text(of: .object(row), labels: { labels[$0] ?? "" }, isStrict: true))
        }
        return texts
    }

    private func cells(_ text: String) -> [String] {
        text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }

    /// The template filled with headings, as the Docker command line makes it.
    private func heading(_ template: Template) -> String {
        var headings = JSON.Object()
        for name in rows.first?.keys ?? columns.map(\.field) {
            headings[name] = .string(Outline.title(name).uppercased())
        }
        for column in columns { headings[column.field] = .string(column.heading) }
        if let text = try? template.text(of: .object(headings), labels: { $0 }) { return text }
        // A template that does more with its fields than to print them.
        return template.fieldNames.map { name in
            columns.first { $0.field == name }?.heading ?? Outline.title(name).uppercased()
        }.joined(separator: "\t")
    }
}
