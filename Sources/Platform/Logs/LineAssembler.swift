// SPDX-License-Identifier: Apache-2.0

/// One line of output, or a piece of a very long one.
package struct LogLine: Hashable, Sendable {
    package let stream: OutputStream
    /// When its first byte came: since 1970, UTC.
    package let wallNanos: Int64
    /// With the line feed that ends it, where there is one.
    package let bytes: [UInt8]
    /// Whether it goes on from the piece before of the same stream.
    package let isContinuation: Bool
    /// Of the byte after its last one: reading can go on there.
    package let end: LogPosition
}

/// Makes lines of chunks. A stream's line is not torn by what the other stream writes meanwhile.
///
/// Holds at most `maximumLineBytes` for each stream; longer lines come in pieces.
package struct LineAssembler: Sendable {
    package static let maximumLineBytes = 16 << 10

    private struct Pending: Sendable {
        var bytes: [UInt8] = []
        var wallNanos: Int64 = 0
        var end = LogPosition.start
        /// Whether a piece of this line was given out already.
        var isContinuation = false
    }

    private var pending: [OutputStream: Pending] = [:]

    package init() {}

    /// Takes a chunk and returns the lines that it completes.
    package mutating func add(_ chunk: LogChunk) -> [LogLine] {
        var line = pending[chunk.stream] ?? Pending()
        var lines: [LogLine] = []
        var start = chunk.bytes.startIndex
        while start < chunk.bytes.endIndex {
            let room = Self.maximumLineBytes - line.bytes.count
            let window = chunk.bytes[start..<min(chunk.bytes.endIndex, start + room)]
            let feed = window.firstIndex(of: 0x0a)
            let stop = feed.map { $0 + 1 } ?? window.endIndex
            if line.bytes.isEmpty { line.wallNanos = chunk.wallNanos }
            line.bytes += chunk.bytes[start..<stop]
            line.end = LogPosition(
                segment: chunk.position.segment,
                offset: chunk.position.offset + UInt64(stop)
            )
            start = stop
            if feed != nil || line.bytes.count == Self.maximumLineBytes {
                lines.append(Self.line(line, chunk.stream))
                line = Pending()
                line.isContinuation = feed == nil
            }
        }
        pending[chunk.stream] = line
        return lines
    }

    /// What has no end yet, for a reader that stops here.
    package mutating func finish() -> [LogLine] {
        defer { pending = [:] }
        return pending.filter { !$0.value.bytes.isEmpty }
            .map { Self.line($0.value, $0.key) }
            .sorted { $0.end < $1.end }
    }

    private static func line(_ pending: Pending, _ stream: OutputStream) -> LogLine {
        LogLine(
            stream: stream,
            wallNanos: pending.wallNanos,
            bytes: pending.bytes,
            isContinuation: pending.isContinuation,
            end: pending.end
        )
    }
}
