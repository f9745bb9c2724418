// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import Synchronization
internal import System

/// One file of the journal, named by the sequence of its first event.
struct JournalSegment: Hashable, Sendable {
    let first: UInt64
    /// Of its last event; `first - 1` while it is empty.
    var last: UInt64
    var bytes: Int64
    var lastWallNanos: Int64

    var name: String { String(repeating: "0", count: 20 - String(first).count) + String(first) + ".events" }

    init(first: UInt64) {
        self.first = first
        self.last = first - 1
        self.bytes = 0
        self.lastWallNanos = 0
    }

    init?(name: String) {
        guard name.hasSuffix(".events"), let first = UInt64(name.dropLast(7)), first > 0 else { return nil }
        self.init(first: first)
    }
}

/// Where an event is.
struct JournalPlace: Hashable, Sendable {
    /// The number of its segment's first event.
    let segment: UInt64
    /// In the segment's file.
    let offset: Int64
}

/// A container that was deleted lately, by the event that tells of it. Thousands of them are remembered, so what it was is
/// read again from the file.
struct Removal: Sendable {
    /// Of the container's id.
    let hash: Int
    let wallUnixNanos: Int64
    let place: JournalPlace

    init(_ event: Event, at place: JournalPlace) {
        hash = event.container.hashValue
        wallUnixNanos = event.wallUnixNanos
        self.place = place
    }
}

/// The containers that were deleted lately, for a question that is asked from any thread and mostly answered with no.
final class DeletedLately: Sendable {
    /// How many removals there are of each hash.
    private let counts = Mutex<[Int: Int]>([:])

    /// Whether it may be among them.
    func mayHave(_ container: String) -> Bool { counts.withLock { $0[container.hashValue] != nil } }

    func add(_ hash: Int) { counts.withLock { $0[hash, default: 0] += 1 } }

    func remove(_ hash: Int) {
        counts.withLock { counts in
            let left = (counts[hash] ?? 1) - 1
            counts[hash] = left > 0 ? left : nil
        }
    }
}

/// What a journal's directory says when it is opened, repaired where a write was torn.
struct JournalContents: Sendable {
    static let exitMemoryNanos: Int64 = 600_000_000_000
    private static let pieceBytes = 64 << 10

    var segments: [JournalSegment] = []
    /// Container → number of its last event here.
    var numbers: [String: UInt64] = [:]
    /// Containers deleted in the last ten minutes.
    private(set) var removals: [Removal] = []
    /// The same.
    let deletedLately = DeletedLately()
    /// What was wrong, one line each.
    var damage: [String] = []

    /// - Parameter remaining: Containers that something is left of, also of their deletion.
    init(directory: String, remaining: Set<String>, nowUnixNanos: Int64) throws(SystemError) {
        numbers = Counters.read(directory + "/numbers.pb")
        let found = try Files.names(in: directory).compactMap(JournalSegment.init(name:)).sorted {
            $0.first < $1.first
        }
        for (index, segment) in found.enumerated() {
            let isLast = index == found.count - 1
            try read(segment, directory, isLast: isLast, remaining: remaining, nowUnixNanos: nowUnixNanos)
        }
    }

    private mutating func read(
        _ found: JournalSegment,
        _ directory: String,
        isLast: Bool,
        remaining: Set<String>,
        nowUnixNanos: Int64
    ) throws(SystemError) {
        var segment = found
        let path = "\(directory)/\(segment.name)"
        let size = try scan(&segment, path, remaining: remaining, nowUnixNanos: nowUnixNanos)
        segments.append(segment)
        guard segment.bytes < size else { return }
        damage.append(
            "\(segment.name): \(size - segment.bytes) bytes after event \(segment.last) are no event"
        )
        // The end of the last file is a torn write. Elsewhere the disk lost something: kept for people to
        // look at.
        if isLast {
            let file = try Files.open(path, .readWrite)
            try Files.truncate(file.raw, toBytes: segment.bytes)
            try Files.sync(file.raw)
        }
    }

    /// Takes in a segment's events up to what is none, piece by piece: a start is not to need much memory.
    /// - Returns: The file's size.
    private mutating func scan(
        _ segment: inout JournalSegment,
        _ path: String,
        remaining: Set<String>,
        nowUnixNanos: Int64
    ) throws(SystemError) -> Int64 {
        let file = try Files.open(path, .readOnly)
        let size = try Files.size(of: file.raw)
        var limit = Self.pieceBytes
        while segment.bytes < size {
            let bytes = try Files.bytes(of: file.raw, offset: segment.bytes, count: limit)
            var offset = 0
            while let (event, end) = JournalFrame.decode(bytes, at: offset),
                event.sequence == segment.last + 1
            {
                let place = JournalPlace(segment: segment.first, offset: segment.bytes + Int64(offset))
                note(event, at: place, nowUnixNanos: nowUnixNanos)
                // Nothing can tell it again: thousands of them would make a start large.
                if event.action == .delete, !remaining.contains(event.container) {
                    numbers[event.container] = nil
                }
                segment.last = event.sequence
                segment.lastWallNanos = event.wallUnixNanos
                offset = end
            }
            segment.bytes += Int64(offset)
            // One that is longer than a piece, or none.
            guard offset == 0 else { continue }
            if limit == JournalFrame.maximumBytes { break }
            limit = JournalFrame.maximumBytes
        }
        return size
    }

    mutating func note(_ event: Event, at place: JournalPlace, nowUnixNanos: Int64) {
        numbers[event.container] = max(numbers[event.container] ?? 0, event.number)
        guard event.action == .delete else { return }
        forgetRemovals(before: nowUnixNanos - Self.exitMemoryNanos)
        if nowUnixNanos - event.wallUnixNanos < Self.exitMemoryNanos {
            let removal = Removal(event, at: place)
            removals.append(removal)
            deletedLately.add(removal.hash)
        }
    }

    /// Whether it has the event of a container that was deleted lately.
    func isRemembered(_ segment: JournalSegment) -> Bool {
        removals.contains { $0.place.segment == segment.first }
    }

    /// They are in the order of their times, save where somebody set the clock.
    mutating func forgetRemovals(before horizon: Int64) {
        let old = removals.prefix { $0.wallUnixNanos <= horizon }
        guard !old.isEmpty else { return }
        for removal in old { deletedLately.remove(removal.hash) }
        removals.removeFirst(old.count)
    }
}

/// Named numbers in a file.
enum Counters {
    /// Empty when there is no file, or none that is understood.
    static func read(_ path: String) -> [String: UInt64] {
        guard let bytes = try? Files.contents(of: path),
            let record = try? SupervisorV1.CountersRecord(serialized: bytes)
        else { return [:] }
        return Dictionary(record.counters.map { ($0.name, $0.value) }, uniquingKeysWith: max)
    }

    static func write(_ counters: [String: UInt64], to path: String) throws(SystemError) {
        let sorted = counters.sorted { $0.key < $1.key }.map {
            SupervisorV1.Counter(name: $0.key, value: $0.value)
        }
        let record = SupervisorV1.CountersRecord(version: 1, counters: sorted)
        try Files.replace(path, with: record.serialized())
    }
}
