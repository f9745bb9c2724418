// SPDX-License-Identifier: Apache-2.0
package import System

/// A piece of output that one process wrote to one stream at one time.
package struct LogChunk: Hashable, Sendable {
    package let stream: OutputStream
    /// Since 1970, UTC; 0 where the index was lost.
    package let wallNanos: Int64
    package let bytes: [UInt8]
    /// Of the first byte.
    package let position: LogPosition

    package init(stream: OutputStream, wallNanos: Int64, bytes: [UInt8], position: LogPosition) {
        self.stream = stream
        self.wallNanos = wallNanos
        self.bytes = bytes
        self.position = position
    }

    /// Of the byte after the last one.
    package var end: LogPosition {
        LogPosition(segment: position.segment, offset: position.offset + UInt64(bytes.count))
    }
}

/// What a reader meets next.
package enum LogItem: Hashable, Sendable {
    case chunk(LogChunk)
    /// Output between these places was deleted before it could be read.
    case gap(from: LogPosition, to: LogPosition)

    /// Of output; a gap has none.
    package var byteCount: Int {
        switch self {
        case .chunk(let chunk): chunk.bytes.count
        case .gap: 0
        }
    }
}

/// Reads a spool, also one that is being written to, from a position on.
///
/// Owns one open segment. `next` never blocks for new output: nil means that nothing has come yet, and the caller waits
/// with a watch of the directory (taken before `next` is called) or stops. Memory is bounded by `readAhead`.
package struct SpoolReader: ~Copyable {
    private static let readAhead = 64 << 10

    private let directory: SpoolDirectory
    private var segment: SegmentReader?
    /// Where reading goes on.
    package private(set) var position: LogPosition
    /// No byte from here on is read; nil: all that comes. A reader that is to end, however fast its writer is, has
    /// `SpoolDirectory.end()` here.
    package var end: LogPosition?

    package init(directory: SpoolDirectory, from position: LogPosition = .start, to end: LogPosition? = nil) {
        self.directory = directory
        self.position = position
        self.end = end
    }

    /// At most `limit` bytes of output, or a gap; nil when there is nothing more now, or before `end`.
    package mutating func next(limit: Int = readAhead) throws(SystemError) -> LogItem? {
        while true {
            if let end, position >= end { return nil }
            let limit = bytesToEnd.map { Int(min($0, UInt64(limit))) } ?? limit
            guard segment != nil else {
                switch try openSegment() {
                case .opened: continue
                case .nothing: return nil
                case .gap(let gap): return gap
                }
            }
            if let chunk = try segment?.next(from: position.offset, limit: limit) {
                position = chunk.end
                return .chunk(chunk)
            }
            guard let later = try directory.segments().first(where: { $0 > position.segment }) else {
                return nil
            }
            // Written to its end before the later one was begun: look once more.
            if let chunk = try segment?.next(from: position.offset, limit: limit) {
                position = chunk.end
                return .chunk(chunk)
            }
            segment = nil
            let from = position
            position = LogPosition(segment: later, offset: 0)
            if later > from.segment + 1 { return .gap(from: from, to: position) }
        }
    }

    /// In the present segment; nil when it is not the last one to be read.
    private var bytesToEnd: UInt64? {
        guard let end, end.segment == position.segment else { return nil }
        return end.offset - position.offset
    }

    private enum Opening { case opened, nothing, gap(LogItem) }

    private mutating func openSegment() throws(SystemError) -> Opening {
        guard let number = try directory.segments().first(where: { $0 >= position.segment }) else {
            return .nothing
        }
        do {
            segment = try SegmentReader(directory, number)
        } catch  where error.name == "ENOENT" {
            // Deleted between the listing and now: list again, from the next one on.
            return try openSegment()
        }
        let from = position
        guard number != from.segment else { return .opened }
        position = LogPosition(segment: number, offset: 0)
        return from == .start ? .opened : .gap(.gap(from: from, to: position))
    }
}

/// One segment: which bytes belong to which record. Reads the data's size before the index, since the index record of a
/// byte is always written before the byte.
struct SegmentReader: ~Copyable {
    private static let recordsAtOnce = 256
    private static let dataAtOnce = 64 << 10

    private let number: UInt64
    private let data: Descriptor
    private let index: Descriptor
    /// Size of the data when it was last looked at.
    private var end: UInt64 = 0
    /// Records that lie wholly before `end`, the first one being the present one.
    private var records: ArraySlice<IndexRecord> = []
    /// Number of the record after those in `records`.
    private var nextRecord = 0
    private var block: [UInt8] = []
    private var blockOffset: UInt64 = 0

    init(_ directory: SpoolDirectory, _ number: UInt64) throws(SystemError) {
        let data = try Files.open(directory.dataPath(number), .readOnly)
        self.index = try Self.openIndex(directory, number)
        self.data = data
        self.number = number
    }

    private static func openIndex(
        _ directory: SpoolDirectory,
        _ number: UInt64
    ) throws(SystemError) -> Descriptor {
        do {
            return try Files.open(directory.indexPath(number), .readOnly)
        } catch  where error.name == "ENOENT" {
            // The bytes are still worth reading.
            return try Files.open("/dev/null", .readOnly)
        }
    }

    /// Bytes from `offset`, all of one record; nil at the end of what is there.
    mutating func next(from offset: UInt64, limit: Int) throws(SystemError) -> LogChunk? {
        if offset >= end {
            guard offset < (try currentEnd()) else { return nil }
        }
        try findRecord(of: offset)
        let following = records.dropFirst().first?.offset ?? end
        let (stream, time) = attribution(of: offset)
        let limitEnd = min(records.first.map { $0.offset > offset ? $0.offset : following } ?? end, end)
        let bytes = try bytes(from: offset, count: min(limit, Int(limitEnd - offset)))
        guard !bytes.isEmpty else { return nil }
        let position = LogPosition(segment: number, offset: offset)
        return LogChunk(stream: stream, wallNanos: time, bytes: bytes, position: position)
    }

    /// Looks at the data's size again; what comes later is not seen until the next look.
    mutating func currentEnd() throws(SystemError) -> UInt64 {
        end = UInt64(try Files.size(of: data.raw))
        return end
    }

    /// Before a jump, so that the record is searched for and not walked to.
    mutating func forgetRecords() { (records, nextRecord) = ([], 0) }

    /// Bytes before the first record had theirs lost by a crash of the machine.
    private func attribution(of offset: UInt64) -> (OutputStream, Int64) {
        guard let record = records.first, record.offset <= offset else { return (.standardOutput, 0) }
        return (record.stream, record.wallNanos)
    }

    /// Makes the record that covers `offset` the first of `records`, with the one after it loaded if there is one.
    private mutating func findRecord(of offset: UInt64) throws(SystemError) {
        if let first = records.first, first.offset > offset {
            // The caller has gone back.
            forgetRecords()
        }
        if records.isEmpty { nextRecord = try lastRecord(atOrBefore: offset) }
        while true {
            while let second = records.dropFirst().first, second.offset <= offset { records.removeFirst() }
            if records.count > 1 || (records.first.map { $0.offset > offset } ?? false) { return }
            let known = records.count
            try loadRecords()
            if records.count == known { return }
        }
    }

    /// Appends the next records before `end`, skipping damaged ones.
    private mutating func loadRecords() throws(SystemError) {
        while true {
            let bytes = try Files.bytes(
                of: index.raw,
                offset: Int64(nextRecord * IndexRecord.size),
                count: Self.recordsAtOnce * IndexRecord.size
            )
            let known = records.count
            let whole = bytes.count / IndexRecord.size
            for place in 0..<whole {
                let record = IndexRecord(bytes[place * IndexRecord.size..<(place + 1) * IndexRecord.size])
                // What stands at the end of the data is not final, and may be half overwritten just now.
                if let record, record.offset >= end { return }
                if record == nil, place == whole - 1 {
                    guard place > 0, whole == Self.recordsAtOnce else { return }
                    break
                }
                nextRecord += 1
                if let record, record.offset >= records.last?.offset ?? 0 { records.append(record) }
            }
            if records.count > known || whole < Self.recordsAtOnce { return }
        }
    }

    /// Binary search; damaged records count as before.
    private func lastRecord(atOrBefore offset: UInt64) throws(SystemError) -> Int {
        var low = 0
        var high = Int(try Files.size(of: index.raw)) / IndexRecord.size
        while high - low > 1 {
            let middle = (low + high) / 2
            let bytes = try Files.bytes(
                of: index.raw,
                offset: Int64(middle * IndexRecord.size),
                count: IndexRecord.size
            )
            if let record = IndexRecord(bytes), record.offset > offset { high = middle } else { low = middle }
        }
        // A damaged record there covers nothing: begin at a sound one before it.
        while low > 0 {
            let bytes = try Files.bytes(
                of: index.raw,
                offset: Int64(low * IndexRecord.size),
                count: IndexRecord.size
            )
            if IndexRecord(bytes) != nil { break }
            low -= 1
        }
        return low
    }

    private mutating func bytes(from offset: UInt64, count: Int) throws(SystemError) -> [UInt8] {
        if offset < blockOffset || offset >= blockOffset + UInt64(block.count) {
            block = try Files.bytes(
                of: data.raw,
                offset: Int64(offset),
                count: min(Self.dataAtOnce, Int(end - offset))
            )
            blockOffset = offset
        }
        let start = Int(offset - blockOffset)
        return Array(block[start..<min(block.count, start + count)])
    }
}
