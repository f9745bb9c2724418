// SPDX-License-Identifier: Apache-2.0

/// Rows under a heading, columns at least 10 wide and 3 apart, as the Docker command line sets them.
package struct Table: Hashable, Sendable {
    private let heading: [String]
    private var rows: [[String]] = []

    package init(_ heading: [String]) { self.heading = heading }

    /// Control characters in a cell are shown as `?`: a name must not move the cursor.
    package mutating func add(_ row: [String]) {
        rows.append(row.map { String($0.map { $0.unicodeScalars.allSatisfy(Self.isPrintable) ? $0 : "?" }) })
    }

    /// Without spaces at the end of a line, save in a last cell that is empty.
    package var lines: [String] { lines(width: nil) }

    /// The same, in at most `width` columns: the widest cells are cut, those of the first and the last column only when
    /// nothing else helps, headings after all cells, and the line itself where not even that is enough.
    package func lines(width: Int?) -> [String] {
        let all = [heading] + rows
        var widths = heading.indices.map { column in
            max(10, (all.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0) + 3)
        }
        if let width { widths = fitted(widths, into: width) }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let isLast = column == row.count - 1
                let room = widths.indices.contains(column) ? widths[column] - (isLast ? 0 : 1) : .max
                let shown = width == nil ? cell : Shortened.text(cell, limit: max(1, room))
                line += shown
                if !isLast { line += String(repeating: " ", count: max(1, widths[column] - shown.count)) }
            }
            return width.map { Shortened.text(line, limit: max(1, $0)) } ?? line
        }
    }

    /// First the gaps become smaller, then the columns that people can best do without, then all others but the first and the
    /// last, which are copied (ids and names): down to their headings and to 8, then whatever the heading, down to 4; these two
    /// last of all.
    private func fitted(_ widths: [Int], into width: Int) -> [Int] {
        // The space after the last column is not printed.
        var whole = widths
        if let last = whole.indices.last { whole[last] = max(heading[last].count, longest(last)) }
        if whole.reduce(0, +) <= width { return whole }
        var narrow = heading.indices.map { longest($0) + ($0 == heading.count - 1 ? 0 : 2) }
        let elastic = heading.indices.filter { Self.elastic.contains(heading[$0]) }
        let (middle, all) = (Array(heading.indices.dropFirst().dropLast()), Array(heading.indices))
        for (columns, least, keepsHeading) in [
            (elastic, 10, true), (middle, 16, true), (middle, 8, true), (middle, 4, false), (all, 4, false),
        ] {
            while narrow.reduce(0, +) > width {
                let wide = columns.filter { column in
                    let ofHeading = heading[column].count + (column == heading.count - 1 ? 0 : 2)
                    return narrow[column] > (keepsHeading ? max(least, ofHeading) : least)
                }
                guard let widest = wide.max(by: { narrow[$0] < narrow[$1] }) else { break }
                narrow[widest] -= 1
            }
        }
        return narrow
    }

    /// Headings of columns whose beginnings say enough.
    private static let elastic: Set = [
        "COMMAND", "IMAGE", "CREATED BY", "COMMENT", "PORTS", "DIGEST", "SOCKET", "LABELS", "MOUNTS",
    ]

    private func longest(_ column: Int) -> Int {
        ([heading] + rows).map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value)
    }
}

/// Identifiers and texts cut to what a table has room for.
package enum Shortened {
    /// 12 characters, without `sha256:`.
    package static func id(_ id: String) -> String {
        let digits = id.split(separator: ":", maxSplits: 1).last.map(String.init) ?? id
        return String(digits.prefix(12))
    }

    /// An image as it was named; one named by its id alone is cut like an id.
    package static func image(_ name: String) -> String {
        let digits = name.hasPrefix("sha256:") ? String(name.dropFirst(7)) : name
        let isID = digits.count == 64 && digits.allSatisfy(\.isHexDigit)
        return isID ? String(digits.prefix(12)) : name
    }

    /// At most `limit` characters, the last of them an ellipsis where something is missing.
    package static func text(_ text: String, limit: Int) -> String {
        text.count <= limit ? text : text.prefix(limit - 1) + "…"
    }
}
