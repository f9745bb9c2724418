// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The names of all fault points, as the sources have them: `<daemon>.<operation>.<step>`.
package enum FaultPointNames {
    package static let all: [String] = {
        let sources = URL(fileURLWithPath: repository + "/Sources").resolvingSymlinksInPath().path
        guard let files = FileManager.default.enumerator(atPath: sources) else { return [] }
        var names: Set<String> = []
        for case let file as String in files where file.hasSuffix(".swift") {
            guard let text = try? String(contentsOfFile: sources + "/" + file, encoding: .utf8) else {
                continue
            }
            for part in text.components(separatedBy: ".reach(\"").dropFirst() {
                guard let name = part.split(separator: "\"").first.map(String.init) else { continue }
                // The image store's points serve two operations.
                let expanded = ["load", "pull"].map {
                    name.replacingOccurrences(of: "\\(operation)", with: $0)
                }
                names.formUnion(expanded.filter { !$0.contains("\\") })
            }
        }
        return names.sorted()
    }()

    /// Those whose operation (the name's second part) is one of these.
    package static func of(_ operations: String...) -> [String] {
        all.filter { name in
            let parts = name.split(separator: ".")
            return parts.count > 2 && operations.contains(String(parts[1]))
        }
    }
}
