// SPDX-License-Identifier: Apache-2.0

/// Where a pull or load stands. A pure value: messages go in, lines for a given width come out.
package struct Progress: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package let id: String
        package var status: String
        package var currentBytes: UInt64
        package var totalBytes: UInt64
    }

    /// In the order of their first message.
    package private(set) var items: [Item] = []

    package init() {}

    /// - Returns: Whether the item's status is new, and so is worth a line where nothing can be redrawn.
    @discardableResult
    package mutating func update(id: String, status: String, current: UInt64, total: UInt64) -> Bool {
        let item = Item(id: id, status: status, currentBytes: current, totalBytes: total)
        guard let index = items.firstIndex(where: { $0.id == id }) else {
            items.append(item)
            return true
        }
        let isNew = items[index].status != status
        items[index] = item
        return isNew
    }

    /// One line for each item, none wider than `width` columns.
    package func lines(width: Int) -> [String] { items.map { Self.line($0, width: width) } }

    /// `4a5f1b2c3d4e: Downloading [=====>     ] 1.2MB/3.4MB`.
    private static func line(_ item: Item, width: Int) -> String {
        let head = (item.id.isEmpty ? "" : item.id + ": ") + item.status
        guard item.totalBytes > 0, item.currentBytes < item.totalBytes else {
            return String(head.prefix(width))
        }
        let counts = " \(HumanSize.decimal(item.currentBytes))/\(HumanSize.decimal(item.totalBytes))"
        let room = min(50, width - head.count - counts.count - 3)
        guard room >= 10 else { return String((head + counts).prefix(width)) }
        let filled = Int(Double(item.currentBytes) / Double(item.totalBytes) * Double(room))
        let tip = filled < room ? ">" : ""
        let bar = String(repeating: "=", count: filled) + tip
        return head + " [" + bar + String(repeating: " ", count: room - bar.count) + "]" + counts
    }
}

/// Redraws a block of lines in place on a terminal: a pure function of what is there and what shall be.
package struct ScreenBlock: Hashable, Sendable {
    private var shown: [String] = []

    package init() {}

    /// The bytes that turn the shown block into `lines`, with the cursor left below it.
    package mutating func replace(with lines: [String]) -> String {
        defer { shown = lines }
        var text = shown.isEmpty ? "" : "\u{1b}[\(shown.count)A"
        for (index, line) in lines.enumerated() {
            let isSame = shown.indices.contains(index) && shown[index] == line
            text += isSame ? "\u{1b}[1B" : "\r\u{1b}[2K" + line + "\n"
        }
        if lines.count < shown.count { text += "\u{1b}[J" }
        return text
    }
}
