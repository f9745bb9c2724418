// SPDX-License-Identifier: Apache-2.0
package import Events
package import Suite
package import System

/// Every event of every container, once and in order, on disk.
///
/// Owns the directory `ROOT/supervisor/journal`: the journal's id, segment files of framed events, and what
/// the owners have acknowledged. What was appended outlives the supervisor; the disk has it once an owner has
/// acknowledged it. As the machine's sudden end may take the last events from here, but not from an owner, numbers go
/// on with a gap after a boot. A container's event numbers make it idempotent: a number that is there already is
/// passed over. Works on a thread of its own, since it waits for the disk.
package actor Journal {
    package struct Limits: Sendable {
        package var segmentBytes: Int64 = 4 << 20
        /// Beyond this, what every owner has acknowledged goes.
        package var softBytes: Int64 = 64 << 20
        package var ageNanos: Int64 = 7 * 86_400 * 1_000_000_000
        /// Beyond this, the oldest goes in any case.
        package var hardBytes: Int64 = 256 << 20

        package init() {}
    }

    /// A reader's place. A pure value; `next` returns the one after it.
    package struct Cursor: Hashable, Sendable {
        /// The last event that was read.
        package fileprivate(set) var sequence: UInt64
        fileprivate var segment: UInt64 = 0
        fileprivate var offset: Int64 = 0
    }

    package nonisolated let id: String
    /// What was wrong when it was opened, for the log.
    package nonisolated let damage: [String]
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private nonisolated let thread: SerialThread
    private nonisolated let directory: String
    private nonisolated let limits: Limits
    private nonisolated let faults: FaultPoints
    private nonisolated let reserve: DiskReserve?
    private nonisolated let changes = Changes()
    /// More events than the machine's end can have taken.
    private static let gapAfterBoot: UInt64 = 1 << 20
    private var contents: JournalContents
    private nonisolated let deletedLately: DeletedLately
    private var acknowledged: [String: UInt64]
    private var file: Descriptor
    /// How much of the active segment has room on the disk.
    private var roomEnd: Int64 = 0
    private static let roomBytes: Int64 = 256 << 10

    /// Opens the journal in `directory`, makes one where there is none, and repairs a torn end.
    /// - Parameters:
    ///   - bootID: Of the machine's present boot.
    ///   - remaining: As `ContainerDirectory.remaining` has them.
    ///   - reserve: Is drawn on when the disk is full.
    package init(
        directory: String,
        bootID: String,
        remaining: Set<String>,
        thread: SerialThread,
        limits: Limits = Limits(),
        faults: FaultPoints = .off,
        reserve: DiskReserve? = nil
    ) throws(SystemError) {
        try Files.makeDirectories(directory, mode: 0o700)
        self.thread = thread
        self.directory = directory
        self.limits = limits
        self.faults = faults
        self.reserve = reserve
        id = try Self.identity(in: directory)
        var contents = try JournalContents(
            directory: directory,
            remaining: remaining,
            nowUnixNanos: Clock.wallNanos
        )
        damage = contents.damage
        let isNewBoot = (try? Files.text(of: directory + "/boot")) != bootID
        let isNew = contents.segments.isEmpty
        if isNew { contents.segments.append(JournalSegment(first: 1)) }
        let emptied = isNewBoot && !isNew ? Self.leaveGap(in: &contents) : nil
        file = try Self.open(contents.segments[contents.segments.count - 1], in: directory)
        // After its successor is there: with neither, the numbers would begin again.
        if let emptied { try Files.unlink("\(directory)/\(emptied.name)") }
        // Last: somebody who was killed before leaves another gap.
        if isNewBoot { try Files.replace(directory + "/boot", with: Array(bootID.utf8)) }
        self.contents = contents
        deletedLately = contents.deletedLately
        acknowledged = Counters.read(directory + "/acknowledged.pb")
    }

    /// The place of somebody who has read everything: of the last event, or the end of the gap behind it; 0 when there is
    /// none.
    package var lastSequence: UInt64 { active.last }

    /// The number of each container's last event here, by its id.
    package var lastNumbers: [String: UInt64] { contents.numbers }

    /// Adds what is not there yet, in order.
    /// - Parameter purpose: What the events tell of, where the disk is full.
    package func append(_ events: [Event], for purpose: DiskReserve.Purpose = .record) throws(SystemError) {
        let new = events.filter { $0.number > contents.numbers[$0.container] ?? 0 }
        guard !new.isEmpty else { return }
        if active.bytes >= limits.segmentBytes { try rotate() }
        var sequence = active.last
        var numbered: [(event: Event, place: JournalPlace)] = []
        var bytes: [UInt8] = []
        for var event in new {
            sequence += 1
            event.sequence = sequence
            let place = JournalPlace(segment: active.first, offset: active.bytes + Int64(bytes.count))
            numbered.append((event, place))
            bytes += JournalFrame.encode(event)
        }
        if let reserve {
            try reserve.makingRoom(for: purpose) { () throws(SystemError) in try write(bytes) }
        } else {
            try write(bytes)
        }
        faults.reach("supervisor.journal.appended")
        let index = contents.segments.count - 1
        contents.segments[index].last = sequence
        contents.segments[index].bytes += Int64(bytes.count)
        let now = Clock.wallNanos
        contents.segments[index].lastWallNanos = now
        for (event, place) in numbered { contents.note(event, at: place, nowUnixNanos: now) }
        changes.announce()
    }

    // MARK: - Reading

    /// A place after `sequence`.
    /// - Parameter journal: The id of the journal that the sequence is of; empty: this one.
    /// - Throws: `.otherJournal`; `.eventsGone` when what follows is not there any more, or never was.
    package func cursor(after sequence: UInt64, journal: String) throws(SupervisorError) -> Cursor {
        guard journal.isEmpty || journal == id else { throw .otherJournal(id: id) }
        let oldest = contents.segments[0].first
        guard sequence + 1 >= oldest, sequence <= lastSequence else { throw .eventsGone(oldest: oldest) }
        return Cursor(sequence: sequence)
    }

    /// The next events, at least one; waits for it. Ends by cancellation.
    ///
    /// Reads from the files, so a slow reader costs no memory.
    package func next(_ cursor: Cursor) async throws -> (events: [Event], cursor: Cursor) {
        while true {
            let seen = changes.version
            if cursor.sequence < lastEvent { return try read(cursor) }
            try await changes.wait(beyond: seen)
        }
    }

    /// False only of one that was not deleted in the last ten minutes: without going to the journal's thread.
    package nonisolated func mayHaveRemoved(_ container: String) -> Bool { deletedLately.mayHave(container) }

    /// Whether a container was deleted in the last ten minutes. Where the journal is too full to have its event any more, its
    /// id alone decides: rather refused than begun a second time.
    /// - Throws: as `removal`.
    package func hasRemoved(_ container: String, owner: String) throws -> Bool {
        if try removal(of: container, owner: owner) != nil { return true }
        return places(ofRemoved: container).contains { segment(of: $0) == nil }
    }

    /// How a container ended that was deleted in the last ten minutes; nil too beyond the hard limit.
    /// - Throws: `.damagedState` when the event is not where it was written; a `SystemError` of reading.
    package func removal(of container: String, owner: String) throws -> Event? {
        for place in places(ofRemoved: container) {
            guard let segment = segment(of: place) else { continue }
            let event = try event(at: place, in: segment)
            if event.container == container, event.owner == owner { return event }
        }
        return nil
    }

    /// The latest first.
    private func places(ofRemoved container: String) -> [JournalPlace] {
        contents.forgetRemovals(before: Clock.wallNanos - JournalContents.exitMemoryNanos)
        let hash = container.hashValue
        return contents.removals.filter { $0.hash == hash }.reversed().map(\.place)
    }

    private func segment(of place: JournalPlace) -> JournalSegment? {
        contents.segments.first { $0.first == place.segment }
    }

    /// An owner needs nothing up to `sequence` any more.
    package func acknowledge(owner: String, sequence: UInt64, journal: String) throws(SupervisorError) {
        guard journal.isEmpty || journal == id else { throw .otherJournal(id: id) }
        let sequence = min(sequence, lastSequence)
        guard sequence > acknowledged[owner] ?? 0 else { return }
        do throws(SystemError) {
            try Files.syncData(file.raw)
            acknowledged[owner] = sequence
            try Counters.write(acknowledged, to: directory + "/acknowledged.pb")
            try trim()
        } catch {
            throw .system(error)
        }
    }

    // MARK: - Files

    /// The newest event's; behind it there may be a gap.
    private var lastEvent: UInt64 { contents.segments.last { $0.bytes > 0 }?.last ?? 0 }

    private var active: JournalSegment { contents.segments[contents.segments.count - 1] }

    private func write(_ bytes: [UInt8]) throws(SystemError) {
        keepRoom(for: Int64(bytes.count))
        do throws(SystemError) {
            try Files.writeAll(file.raw, bytes)
        } catch {
            // A part of it may be there; the file is opened for appending, so the end must be right.
            try? Files.truncate(file.raw, toBytes: active.bytes)
            // With the part went the room behind it.
            roomEnd = 0
            throw error
        }
    }

    /// What comes next will not be kept from being written by a disk that is full by then.
    private func keepRoom(for count: Int64) {
        guard active.bytes + count > roomEnd else { return }
        let ahead =
            (try? DiskSpace.allocateAhead(file.raw, offset: active.bytes, count: Self.roomBytes)) != nil
        roomEnd = active.bytes + (ahead ? Self.roomBytes : count)
    }

    private func rotate() throws(SystemError) {
        // Nothing comes behind it any more: what room it has there goes back.
        try Files.truncate(file.raw, toBytes: active.bytes)
        try Files.syncData(file.raw)
        let segment = JournalSegment(first: active.last + 1)
        file = try Self.open(segment, in: directory)
        roomEnd = 0
        contents.segments.append(segment)
        faults.reach("supervisor.journal.rotated")
        try trim()
    }

    /// Deletes the oldest segments that may go; never the active one.
    private func trim() throws(SystemError) {
        contents.forgetRemovals(before: Clock.wallNanos - JournalContents.exitMemoryNanos)
        while contents.segments.count > 1 {
            let oldest = contents.segments[0]
            let total = contents.segments.reduce(0) { $0 + $1.bytes }
            let isOld = Clock.wallNanos - oldest.lastWallNanos > limits.ageNanos
            // Including the gap behind it: who stands before that would find his place gone.
            let end = contents.segments[1].first - 1
            let isAcknowledged = acknowledged.values.allSatisfy { $0 >= end }
            let mayGo =
                (total > limits.softBytes || isOld) && isAcknowledged && !contents.isRemembered(oldest)
            guard total > limits.hardBytes || mayGo else { return }
            // First, since the numbers could not be read from the segment afterwards.
            try Counters.write(contents.numbers, to: directory + "/numbers.pb")
            faults.reach("supervisor.journal.numbers-written")
            try Files.unlink("\(directory)/\(oldest.name)")
            contents.segments.removeFirst()
        }
    }

    /// Forgets a deleted container's number, once nothing of it is left that could tell it again: its id will not be used
    /// again.
    package func forget(_ container: ContainerID) { contents.numbers[container.text] = nil }

    private func read(_ cursor: Cursor) throws -> (events: [Event], cursor: Cursor) {
        var wanted = cursor.sequence + 1
        // Between the segments there may be a gap.
        guard wanted >= contents.segments[0].first,
            let segment = contents.segments.first(where: { $0.last >= wanted })
        else {
            throw SupervisorError.eventsGone(oldest: contents.segments[0].first)
        }
        wanted = max(wanted, segment.first)
        var cursor = cursor
        if cursor.segment != segment.first {
            cursor.segment = segment.first
            cursor.offset = 0
        }
        let file = try Files.open("\(directory)/\(segment.name)", .readOnly)
        var events: [Event] = []
        while events.isEmpty {
            let count = Int(min(segment.bytes - cursor.offset, Int64(JournalFrame.maximumBytes)))
            let bytes = try Files.bytes(of: file.raw, offset: cursor.offset, count: count)
            var offset = 0
            while let (event, end) = JournalFrame.decode(bytes, at: offset) {
                offset = end
                if event.sequence >= wanted { events.append(event) }
            }
            guard offset > 0 else {
                throw SupervisorError.damagedState(path: segment.name, detail: "no event at \(cursor.offset)")
            }
            cursor.offset += Int64(offset)
        }
        cursor.sequence = events[events.count - 1].sequence
        return (events, cursor)
    }

    private func event(at place: JournalPlace, in segment: JournalSegment) throws -> Event {
        let file = try Files.open("\(directory)/\(segment.name)", .readOnly)
        // Most are far shorter than the longest.
        for limit in [4096, JournalFrame.maximumBytes] {
            let bytes = try Files.bytes(of: file.raw, offset: place.offset, count: limit)
            if let (event, _) = JournalFrame.decode(bytes, at: 0) { return event }
        }
        throw SupervisorError.damagedState(path: segment.name, detail: "no event at \(place.offset)")
    }

    private static func open(_ segment: JournalSegment, in directory: String) throws(SystemError)
        -> Descriptor
    {
        let file = try Files.open(
            "\(directory)/\(segment.name)",
            [.readWrite, .create, .append],
            mode: 0o600
        )
        try Files.syncDirectory(directory)
        return file
    }

    /// Begins a segment far behind the last one, or in place of it if that came back empty: its events may have reached
    /// an owner all the same.
    /// - Returns: A segment that is not needed any more.
    private static func leaveGap(in contents: inout JournalContents) -> JournalSegment? {
        guard let last = contents.segments.last else { return nil }
        let emptied = last.bytes == 0 ? contents.segments.removeLast() : nil
        contents.segments.append(JournalSegment(first: last.last + 1 + gapAfterBoot))
        return emptied
    }

    private static func identity(in directory: String) throws(SystemError) -> String {
        let path = directory + "/id"
        if let text = try? Files.text(of: path), text.utf8.count == 32 { return text }
        let id = try SystemEnvironment.randomHexadecimal(bytes: 16)
        try Files.replace(path, with: Array(id.utf8))
        return id
    }
}
