// SPDX-License-Identifier: Apache-2.0
internal import Logs

/// Turns chunks of a spool into what was asked for: streams and times filtered, lines preceded by their time and details.
///
/// A line's time is that of its first byte. The two streams' lines are independent of each other. Pure.
struct OutputRenderer: Sendable {
    private static let newline = UInt8(ascii: "\n")

    let query: OutputQuery
    /// Before each line, with a space after it; nil: not asked for.
    private let details: [UInt8]?
    private(set) var place: OutputPlace

    init(query: OutputQuery, place: OutputPlace, details: LogDetails? = nil) {
        self.query = query
        self.place = place
        self.details = details.map { Array($0.text.utf8) + [0x20] }
    }

    /// Before each line.
    var detailBytes: Int { details?.count ?? 0 }

    /// Whether the chunk, and so everything after it, is later than what is wanted.
    func isPast(_ chunk: LogChunk) -> Bool {
        query.untilUnixNanos > 0 && chunk.wallNanos > query.untilUnixNanos
    }

    /// What is shown of the chunk: maybe nothing.
    mutating func render(_ chunk: LogChunk) -> [UInt8] {
        place.position = chunk.end
        guard query.wants(chunk.stream) else { return [] }
        let isShown = chunk.wallNanos == 0 || chunk.wallNanos >= query.sinceUnixNanos
        var line = place[chunk.stream]
        defer { place[chunk.stream] = line }
        // The usual case: nothing to look for within.
        if isShown, line != .hidden, !query.timestamps, details == nil {
            line = chunk.bytes.last == OutputRenderer.newline ? .begins : .shown
            return chunk.bytes
        }
        let time = query.timestamps ? Array(Moment.text(chunk.wallNanos).utf8) + [0x20] : []
        let prefix = time + (details ?? [])
        var result: [UInt8] = []
        var rest = chunk.bytes[...]
        while !rest.isEmpty {
            if line == .begins {
                line = isShown ? .shown : .hidden
                if isShown { result += prefix }
            }
            let end = rest.firstIndex(of: OutputRenderer.newline)
            let piece = end.map { rest[...$0] } ?? rest
            if line == .shown { result += piece }
            if end != nil { line = .begins }
            rest = rest[piece.endIndex...]
        }
        return result
    }

    /// Output was lost between two places: what follows begins anew.
    mutating func skip(to place: OutputPlace) { self.place = place }
}
