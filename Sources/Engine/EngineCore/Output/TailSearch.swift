// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import System

/// Finds the place from which on there are so many lines before an end: reads ever larger windows up to it, twice each,
/// so that its memory does not depend on the number of lines. What is written meanwhile does not matter.
struct TailSearch {
    private static let newline = UInt8(ascii: "\n")
    private static let firstWindow: UInt64 = 64 << 10

    let directory: SpoolDirectory
    let query: OutputQuery
    /// `SpoolDirectory.end()` of when the lines were asked for.
    let end: LogPosition

    /// - Returns: The start of the line that is the `count`th before the end; the spool's start when there are fewer.
    func start(lines count: UInt64) throws(SystemError) -> OutputPlace {
        var window = TailSearch.firstWindow
        while true {
            let (from, isWhole) = try windowStart(window)
            let begin =
                isWhole
                ? try OutputPlace.start(of: directory)
                : OutputPlace(position: from, output: .hidden, error: .hidden)
            let (last, found) = try walk(from: begin, stopAfter: nil)
            if count == 0 { return last }
            if found >= count {
                return try walk(from: begin, stopAfter: found - count).place
            }
            if isWhole { return begin }
            window *= 4
        }
    }

    /// The position `window` bytes before the end, and whether that is everything.
    private func windowStart(_ window: UInt64) throws(SystemError) -> (LogPosition, Bool) {
        var left = window
        for segment in try directory.segments().reversed() where segment <= end.segment {
            // Deleted between the listing and now: nothing before it is left either.
            guard let size = try bytes(of: segment) else { break }
            if size > left { return (LogPosition(segment: segment, offset: size - left), false) }
            left -= size
        }
        return (.start, true)
    }

    /// How much of a segment lies before the end; nil when it is not there any more.
    private func bytes(of segment: UInt64) throws(SystemError) -> UInt64? {
        do {
            let file = try Files.open(directory.dataPath(segment), .readOnly)
            return segment == end.segment ? end.offset : UInt64(try Files.size(of: file.raw))
        } catch  where error.name == "ENOENT" {
            return nil
        }
    }

    /// Reads on from `begin` and counts the lines that begin.
    /// - Parameter stopAfter: So many lines are passed over; ends right before the next one.
    private func walk(
        from begin: OutputPlace,
        stopAfter: UInt64?
    ) throws(SystemError) -> (place: OutputPlace, lines: UInt64) {
        var reader = SpoolReader(directory: directory, from: begin.position, to: end)
        var place = begin
        var lines: UInt64 = 0
        while let item = try reader.next() {
            guard case .chunk(let chunk) = item else {
                place = OutputPlace(position: reader.position)
                continue
            }
            for (offset, byte) in chunk.bytes.enumerated() where query.wants(chunk.stream) {
                if place[chunk.stream] == .begins {
                    if lines == stopAfter {
                        let at = chunk.position.offset + UInt64(offset)
                        place.position = LogPosition(segment: chunk.position.segment, offset: at)
                        return (place, lines)
                    }
                    lines += 1
                    place[chunk.stream] = .hidden
                }
                if byte == TailSearch.newline { place[chunk.stream] = .begins }
            }
            place.position = chunk.end
        }
        return (place, lines)
    }
}
