// SPDX-License-Identifier: Apache-2.0
package import System

/// Which lines of a spool somebody wants.
package struct LogSelection: Hashable, Sendable {
    package var streams: Set<OutputStream>
    /// Only the last so many lines; nil: all of them.
    package var tail: Int?
    /// Only lines of that time or later; since 1970, UTC.
    package var sinceNanos: Int64?
    /// Only lines of that time or before.
    package var untilNanos: Int64?
    /// Where to begin, when `tail` is nil.
    package var position: LogPosition

    package init(
        streams: Set<OutputStream> = Set(OutputStream.allCases),
        tail: Int? = nil,
        sinceNanos: Int64? = nil,
        untilNanos: Int64? = nil,
        from position: LogPosition = .start
    ) {
        self.streams = streams
        self.tail = tail
        self.sinceNanos = sinceNanos
        self.untilNanos = untilNanos
        self.position = position
    }
}

/// Lines of a spool in the order in which they ended.
///
/// Like `SpoolReader`, never blocks: an empty batch means that nothing has come yet.
package struct LineReader: ~Copyable {
    package enum Item: Hashable, Sendable {
        case line(LogLine)
        /// Output between these places was deleted before it could be read.
        case gap(from: LogPosition, to: LogPosition)
    }

    private let selection: LogSelection
    private let unwantedUpTo: LogPosition
    private var reader: SpoolReader
    private var assembler = LineAssembler()
    /// A line later than `untilNanos` has come: nothing wanted follows.
    package private(set) var isPastEnd = false

    /// Reads backwards for `tail`; otherwise nothing yet.
    package init(_ directory: SpoolDirectory, _ selection: LogSelection) throws(SystemError) {
        self.selection = selection
        if let tail = selection.tail {
            let place = try LogTail(of: directory, lines: tail)
            unwantedUpTo = place.unwantedUpTo
            reader = SpoolReader(directory: directory, from: place.start)
        } else {
            unwantedUpTo = .start
            reader = SpoolReader(directory: directory, from: selection.position)
        }
    }

    /// Of the next byte to be read; a line begun before it may not have come to its end.
    package var position: LogPosition { reader.position }

    /// The next lines; empty when nothing more is there now, or nothing more is wanted.
    package mutating func next() throws(SystemError) -> [Item] {
        while !isPastEnd, let item = try reader.next() {
            switch item {
            case .gap(let from, let to):
                let rest = wanted(assembler.finish())
                return rest + [.gap(from: from, to: to)]
            case .chunk(let chunk):
                let lines = wanted(assembler.add(chunk))
                if !lines.isEmpty { return lines }
            }
        }
        return []
    }

    /// Lines without an end, for a reader that stops here.
    package mutating func finish() -> [Item] { wanted(assembler.finish()) }

    private mutating func wanted(_ lines: [LogLine]) -> [Item] {
        var result: [Item] = []
        for line in lines where !isPastEnd {
            if let until = selection.untilNanos, line.wallNanos > until {
                isPastEnd = true
            } else if line.end > unwantedUpTo,
                selection.streams.contains(line.stream),
                line.wallNanos >= selection.sinceNanos ?? Int64.min
            {
                result.append(.line(line))
            }
        }
        return result
    }
}
