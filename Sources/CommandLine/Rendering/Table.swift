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
    package var lines: [String] {
        let all = [heading] + rows
        let widths = heading.indices.map { column in
            max(10, (all.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0) + 3)
        }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 {
                    line += String(repeating: " ", count: max(1, widths[column] - cell.count))
                }
            }
            return line
        }
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
