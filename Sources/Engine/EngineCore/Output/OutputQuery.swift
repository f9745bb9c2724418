// SPDX-License-Identifier: Apache-2.0
internal import Logs

/// Which of a container's output somebody wants, and how.
package struct OutputQuery: Hashable, Sendable {
    package var follows = false
    package var standardOutput = true
    package var standardError = true
    /// Only the last so many lines; nil: all.
    package var tail: UInt64?
    /// 0: without limit.
    package var sinceUnixNanos: Int64 = 0
    package var untilUnixNanos: Int64 = 0
    package var timestamps = false
    /// Each line is preceded by the labels and variables that the log options name.
    package var details = false
    /// `OutputChunk.position` of an earlier reading; empty: from the beginning.
    package var after = ""
    /// Also end when the present run ends.
    package var untilRunEnds = false
    /// Only what is written from now on, even within a line; `tail` does not count.
    package var fromEnd = false
    /// The container waits for this reader rather than delete what he has not received.
    var holds = false

    /// From the first byte of a container that was begun for this reader.
    var isOfFirstRun: Bool { holds && after.isEmpty && !fromEnd }

    package init() {}

    func wants(_ stream: OutputStream) -> Bool {
        stream == .standardOutput ? standardOutput : standardError
    }
}

/// A piece of output, rendered as it was asked for.
package struct OutputChunk: Hashable, Sendable {
    package var bytes: [UInt8]
    /// 1 stdout, 2 stderr; 0 where there are no bytes.
    package var stream: UInt32
    /// Where to go on after this chunk.
    package var position: String
    /// Output that rotation removed before it could be read: an estimate from the size of segments.
    package var skippedBytes: UInt64 = 0
    /// That was all; for readers who say what they have received.
    package var isEnd = false
}

/// A place in the output together with where its lines stand, so that a reading can be continued in mid-line.
///
/// As text `SEGMENT:OFFSET:STATE`; the state is a digit for each stream.
struct OutputPlace: Hashable, Sendable {
    enum Line: UInt8, Sendable {
        case begins = 0
        /// In the middle of a line that is shown.
        case shown = 1
        /// In the middle of one that is not.
        case hidden = 2
    }

    var position: LogPosition
    var output = Line.begins
    var error = Line.begins

    init(position: LogPosition, output: Line = .begins, error: Line = .begins) {
        self.position = position
        self.output = output
        self.error = error
    }

    /// - Throws: `.badPosition` for what no reading has returned.
    init(_ text: String) throws(EngineError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let position = LogPosition("\(parts[0]):\(parts[1])"),
            parts[2].utf8.count == 2,
            let output = parts[2].utf8.first.flatMap({ Line(rawValue: $0 &- 0x30) }),
            let error = parts[2].utf8.last.flatMap({ Line(rawValue: $0 &- 0x30) })
        else { throw .badPosition(text) }
        self.init(position: position, output: output, error: error)
    }

    var text: String { "\(position):\(output.rawValue)\(error.rawValue)" }

    subscript(stream: OutputStream) -> Line {
        get { stream == .standardOutput ? output : error }
        set { if stream == .standardOutput { output = newValue } else { error = newValue } }
    }
}
