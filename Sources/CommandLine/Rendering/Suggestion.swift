// SPDX-License-Identifier: Apache-2.0

/// What somebody may have meant by a word that is not known.
package enum Suggestion {
    /// The candidate that needs the fewest changes, if it needs at most `limit`, and no more than one for three letters.
    package static func nearest(to word: String, in candidates: [String], limit: Int = 2) -> String? {
        let ranked = candidates.map { ($0, distance(word, $0)) }.min { $0.1 < $1.1 }
        let most = min(limit, max(1, word.count / 3))
        guard let (candidate, changes) = ranked, changes <= most, changes < word.count else { return nil }
        return candidate
    }

    /// The same for an option's name: fewer changes in a short one, or its beginning.
    package static func option(_ word: String, in candidates: [String]) -> String? {
        if let nearest = nearest(to: word, in: candidates, limit: word.count < 5 ? 1 : 2) { return nearest }
        let begun = candidates.filter { $0.hasPrefix(word) }
        return word.count >= 2 && begun.count == 1 ? begun[0] : nil
    }

    /// Letters to insert, delete, replace, or swap with their neighbour (optimal string alignment).
    static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first)
        let b = Array(second)
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var rows = [Array(0...b.count)]
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                var best = min(
                    rows[i - 1][j] + 1,
                    row[j - 1] + 1,
                    rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                )
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    best = min(best, rows[i - 2][j - 2] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
