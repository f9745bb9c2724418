// SPDX-License-Identifier: Apache-2.0

/// The lines of `system check`: state, name and what was found; what follows from it below, indented.
package struct CheckReport: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        /// `ok`, `limited` or `missing`.
        package let state: String
        package let name: String
        package let detail: String
        package let consequence: String

        package init(name: String, state: String, detail: String, consequence: String) {
            self.name = name
            self.state = state
            self.detail = detail
            self.consequence = consequence
        }
    }

    private static let colours = ["ok": "32", "limited": "33", "missing": "31"]

    private let findings: [Line]

    package init(_ findings: [Line]) { self.findings = findings }

    /// - Parameter width: Where lines are wrapped; nil for one line with everything for each finding.
    package func lines(width: Int?, isColoured: Bool) -> [String] {
        let nameWidth = (findings.map(\.name.count).max() ?? 0) + 2
        let indent = 9 + nameWidth
        return findings.flatMap { finding -> [String] in
            let state = Self.padded(finding.state, 9)
            let colour = Self.colours[finding.state] ?? "0"
            let head =
                (isColoured ? "\u{1b}[\(colour)m\(state)\u{1b}[0m" : state)
                + Self.padded(finding.name, nameWidth)
            guard let width, width > indent + 20 else {
                return [
                    head
                        + [finding.detail, finding.consequence].filter { !$0.isEmpty }.joined(separator: ". ")
                ]
            }
            let texts =
                Wrapping.lines(finding.detail, width: width - indent)
                + Wrapping.lines(finding.consequence, width: width - indent)
            let space = String(repeating: " ", count: indent)
            return [head + (texts.first ?? "")] + texts.dropFirst().map { space + $0 }
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
