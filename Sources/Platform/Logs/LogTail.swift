// SPDX-License-Identifier: Apache-2.0
package import System

/// Where the last lines of a spool begin.
package struct LogTail: Hashable, Sendable {
    /// Reading starts here…
    package let start: LogPosition
    /// …and lines that end here or before are not wanted: with two streams, an unwanted line can end after a wanted one
    /// of the other stream has begun.
    package let unwantedUpTo: LogPosition

    /// Finds the last `count` lines (one without its line feed counts), reading backwards in blocks.
    ///
    /// Looks at most 1 MiB further back than that for the beginning of the other stream's line.
    package init(of directory: SpoolDirectory, lines count: Int) throws(SystemError) {
        var search = TailSearch(wanted: count)
        let segments = try directory.segments()
        for number in segments.reversed() {
            do {
                var segment = try SegmentReader(directory, number)
                try segment.scanBackwards { search.look(at: $0) }
            } catch  where error.name == "ENOENT" {
                break
            }
            if search.isOver { break }
        }
        let end = search.boundary ?? .start
        self.init(start: min(search.start ?? .start, end), unwantedUpTo: end)
    }

    private init(start: LogPosition, unwantedUpTo: LogPosition) {
        self.start = start
        self.unwantedUpTo = unwantedUpTo
    }
}

/// The search's state; sees chunks from the last to the first.
struct TailSearch {
    private static let furtherBytes = 1 << 20

    private let wanted: Int
    private var found = 0
    private var seen: Set<OutputStream> = []
    /// Just after the last unwanted line.
    private(set) var boundary: LogPosition?
    private(set) var start: LogPosition?
    private var boundaryStream: OutputStream?
    private var lookedFurther = 0
    private(set) var isOver = false

    init(wanted: Int) { self.wanted = wanted }

    /// - Returns: false when nothing before it matters.
    mutating func look(at chunk: LogChunk) -> Bool {
        guard !isOver else { return false }
        for place in chunk.bytes.indices.reversed() {
            let after = LogPosition(
                segment: chunk.position.segment,
                offset: chunk.position.offset + UInt64(place) + 1
            )
            if boundary == nil {
                countLine(isEnd: chunk.bytes[place] == 0x0a, chunk.stream, after)
            } else if lookFurther(isEnd: chunk.bytes[place] == 0x0a, chunk.stream, after) {
                isOver = true
                return false
            }
        }
        return true
    }

    private mutating func countLine(isEnd: Bool, _ stream: OutputStream, _ after: LogPosition) {
        guard isEnd || !seen.contains(stream) else { return }
        seen.insert(stream)
        guard found == wanted else {
            found += 1
            return
        }
        (boundary, start, boundaryStream) = (after, after, stream)
    }

    /// The other stream's line may have begun before the boundary.
    private mutating func lookFurther(isEnd: Bool, _ stream: OutputStream, _ after: LogPosition) -> Bool {
        lookedFurther += 1
        guard stream != boundaryStream else { return lookedFurther > Self.furtherBytes }
        if isEnd { return true }
        start = LogPosition(segment: after.segment, offset: after.offset - 1)
        return lookedFurther > Self.furtherBytes
    }
}

extension SegmentReader {
    private static let backwardBlock: UInt64 = 16 << 10

    /// Shows the segment's chunks from the last to the first, until `body` returns false.
    mutating func scanBackwards(_ body: (LogChunk) -> Bool) throws(SystemError) {
        var blockEnd = try currentEnd()
        while blockEnd > 0 {
            let blockStart = blockEnd > Self.backwardBlock ? blockEnd - Self.backwardBlock : 0
            var chunks: [LogChunk] = []
            var offset = blockStart
            forgetRecords()
            while offset < blockEnd, let chunk = try next(from: offset, limit: Int(blockEnd - offset)) {
                chunks.append(chunk)
                offset = chunk.end.offset
            }
            for chunk in chunks.reversed() where !body(chunk) { return }
            blockEnd = blockStart
        }
    }
}
