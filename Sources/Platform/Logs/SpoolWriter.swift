// SPDX-License-Identifier: Apache-2.0
package import System

/// Where the next bytes of a container's output go. It writes index records and begins segments; the bytes themselves
/// are spliced in by its owner, and never pass through here.
///
/// Order: `begin` (the index record is there) → the owner moves bytes to `data` at `end` → `advance`. A writer that is
/// killed anywhere in between is succeeded by a new one that believes the size of the data file.
/// Owns the two open files of the last segment. One writer at a time for each directory.
package struct SpoolWriter: ~Copyable {
    private let directory: SpoolDirectory
    private let limits: SpoolLimits
    private var holds: SpoolHolds
    private var segment: UInt64
    private var files: SegmentFiles
    private var indexBytes: Int64
    /// The last record's offset, while it stands at the end of the data: it is overwritten rather than followed.
    private var openRecordOffset: Int64?

    /// Size of the present segment, in bytes: the offset for the next ones.
    package private(set) var end: Int64

    /// Opens the last segment, or begins the first one; removes what a crash left torn or without its data.
    /// - Parameter expectsReader: Somebody will come who wants all from the first byte on; for him, too, it waits.
    package init(
        directory: SpoolDirectory,
        limits: SpoolLimits,
        expectsReader: Bool = false
    ) throws(SystemError) {
        try Files.makeDirectories(directory.path, mode: 0o700)
        for orphan in try directory.orphanedIndexes() { try? Files.unlink(directory.indexPath(orphan)) }
        let last = try directory.segments().last ?? 1
        let opened = try SegmentFiles(directory, last)
        let end = try Files.size(of: opened.data.raw)
        self.indexBytes = try Self.repairedSize(of: opened.index.raw, dataEnd: end)
        self.directory = directory
        self.limits = limits
        self.holds = SpoolHolds(directory, expectsReader: expectsReader, nowBootNanos: Clock.bootNanos)
        self.segment = last
        self.end = end
        self.openRecordOffset = nil
        self.files = opened
    }

    /// The file that takes the bytes.
    package var data: Int32 { files.data.raw }

    /// Where the next byte goes.
    package var position: LogPosition { LogPosition(segment: segment, offset: UInt64(end)) }

    /// Announces bytes from `stream`: writes their index record, in a new segment if this one is full.
    /// - Parameter waits: For readers that hold what a new segment would displace; otherwise theirs stays beyond the limit.
    /// - Returns: How many bytes may follow; 0 when a reader is waited for, and nothing has changed.
    /// - Throws: `ENOSPC` among others; then nothing has changed and the call can be repeated.
    package mutating func begin(
        _ stream: OutputStream,
        wallNanos: Int64,
        waits: Bool = true
    ) throws(SystemError) -> Int {
        let full = Int64(limits.segmentBytes)
        if end >= full || indexBytes + Int64(IndexRecord.size) > full {
            guard try beginSegment(waits: waits) else { return 0 }
        }
        let record = IndexRecord(offset: UInt64(end), wallNanos: wallNanos, stream: stream)
        let place = openRecordOffset == end ? indexBytes - Int64(IndexRecord.size) : indexBytes
        try Files.write(files.index.raw, record.bytes, offset: place)
        indexBytes = place + Int64(IndexRecord.size)
        openRecordOffset = end
        return Int(full - end)
    }

    /// Says that `count` bytes were added at `end`.
    package mutating func advance(by count: Int) { end += Int64(count) }

    /// Nobody is waited for any more who has not come yet.
    package mutating func expectNobody() { holds.expectNobody() }

    /// - Returns: false when a reader is waited for.
    private mutating func beginSegment(waits: Bool) throws(SystemError) -> Bool {
        // The new one is the last.
        let all = try directory.segments()
        let surplus = all.dropLast(limits.segments - 1)
        let held = surplus.isEmpty ? nil : holds.first(nowBootNanos: Clock.bootNanos)
        if waits, let held, let last = surplus.last, last >= held, all.count >= limits.heldSegments {
            return false
        }
        files = try SegmentFiles(directory, segment + 1)
        segment += 1
        (end, indexBytes, openRecordOffset) = (0, 0, nil)
        for old in surplus where old < held ?? .max {
            // The data first: a segment without it does not exist.
            try? Files.unlink(directory.dataPath(old))
            try? Files.unlink(directory.indexPath(old))
        }
        return true
    }

    /// Cuts records that are torn, and those at or after the end of the data (theirs never came, or were lost by a
    /// crash of the machine).
    private static func repairedSize(of index: Int32, dataEnd: Int64) throws(SystemError) -> Int64 {
        let record = Int64(IndexRecord.size)
        let size = try Files.size(of: index)
        var whole = size / record * record
        while whole > 0 {
            let bytes = try Files.bytes(of: index, offset: whole - record, count: IndexRecord.size)
            if let last = IndexRecord(bytes), last.offset < UInt64(dataEnd) { break }
            whole -= record
        }
        if whole != size { try Files.truncate(index, toBytes: whole) }
        return whole
    }
}

/// The two files of one segment, opened for writing; made when they are not there.
private struct SegmentFiles: ~Copyable {
    let data: Descriptor
    let index: Descriptor

    init(_ directory: SpoolDirectory, _ segment: UInt64) throws(SystemError) {
        // The index first, so that a segment always has one.
        let index = try Files.open(directory.indexPath(segment), [.readWrite, .create], mode: 0o600)
        let data = try Files.open(directory.dataPath(segment), [.readWrite, .create], mode: 0o600)
        self.index = index
        self.data = data
    }
}
