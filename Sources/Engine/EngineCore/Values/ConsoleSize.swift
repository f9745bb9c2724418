// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec

/// A terminal's size in characters.
package struct ConsoleSize: Codable, Hashable, Sendable {
    package var columns: UInt16
    package var rows: UInt16

    /// - Throws: `.invalidField` for what no terminal has.
    package init(columns: UInt32, rows: UInt32) throws(EngineError) {
        guard let columns = UInt16(exactly: columns), let rows = UInt16(exactly: rows) else {
            throw .invalidField("console size", "\(columns) columns and \(rows) rows: at most 65535 of each")
        }
        self.columns = columns
        self.rows = rows
    }

    var specification: ProcessSpec.ConsoleSize { ProcessSpec.ConsoleSize(height: rows, width: columns) }
}
