// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import System

/// File `events`: the container's own events, numbered without gaps over all its keepers.
///
/// Each record is a 32-bit little-endian length and an `Event`; appended before anybody is told. What a crash
/// left torn at the end is cut when the file is opened. Not synced: the supervisor's record is. Owns the open file.
struct EventLog: ~Copyable {
    /// Beyond this size only the newest events are kept (a connected supervisor has read them long before).
    static let compactAboveBytes: Int64 = 1 << 20
    private static let keptAtCompaction = 1000

    private struct Key: Hashable {
        let kind: Int32
        let run: UInt64
        let execID: String
    }

    private let path: String
    private var file: Descriptor
    private var size: Int64
    private var seen: Set<Key> = []
    private(set) var lastSequence: UInt64
    /// What was said last about the room for output.
    private(set) var isOutputBlocked: Bool

    init(path: String) throws(SystemError) {
        let file = try Files.open(path, [.readWrite, .create], mode: 0o600)
        let content = try Files.contents(of: file.raw, limit: 64 << 20, path: path)
        let (events, whole) = Self.parse(content)
        if whole != content.count { try Files.truncate(file.raw, toBytes: Int64(whole)) }
        self.path = path
        self.size = Int64(whole)
        self.lastSequence = events.last?.sequence ?? 0
        self.seen = Set(events.map(Self.key))
        self.isOutputBlocked =
            events.last { [.outputBlocked, .outputResumed].contains($0.kind) }?.kind == .outputBlocked
        self.file = file
    }

    /// Whether that was recorded already, for a keeper that continues after another.
    func contains(_ kind: KeeperV1.Event.Kind, _ record: KeeperV1.RunRecord) -> Bool {
        seen.contains(Key(kind: kind.rawValue, run: record.run, execID: record.execId))
    }

    /// Appends the next event, which then outlives this process.
    /// - Throws: then nothing was appended, and the number is free again.
    mutating func append(
        _ kind: KeeperV1.Event.Kind,
        _ record: KeeperV1.RunRecord
    ) throws(SystemError) -> KeeperV1.Event {
        let event = KeeperV1.Event(
            sequence: lastSequence + 1,
            kind: kind,
            wallUnixNanos: Clock.wallNanos,
            bootNanos: Clock.bootNanos,
            record: record
        )
        let bytes = Self.framed(event)
        do throws(SystemError) {
            try Files.write(file.raw, bytes, offset: size)
        } catch {
            try? Files.truncate(file.raw, toBytes: size)
            throw error
        }
        size += Int64(bytes.count)
        lastSequence += 1
        if [.outputBlocked, .outputResumed].contains(kind) { isOutputBlocked = kind == .outputBlocked }
        seen.insert(Self.key(event))
        if size > Self.compactAboveBytes { compact() }
        return event
    }

    /// Events in the file's bytes, and how many bytes they take; the rest is torn.
    static func parse(_ bytes: [UInt8]) -> (events: [KeeperV1.Event], wholeBytes: Int) {
        var events: [KeeperV1.Event] = []
        var start = 0
        while start + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
            guard length > 0, start + 4 + length <= bytes.count,
                let event = try? KeeperV1.Event(serialized: Array(bytes[start + 4..<start + 4 + length])),
                event.sequence == (events.last?.sequence).map({ $0 + 1 }) ?? event.sequence,
                event.sequence > 0
            else { break }
            events.append(event)
            start += 4 + length
        }
        return (events, start)
    }

    static func framed(_ event: KeeperV1.Event) -> [UInt8] {
        let body = event.serialized()
        return (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
    }

    private static func key(_ event: KeeperV1.Event) -> Key {
        Key(kind: event.kind.rawValue, run: event.record?.run ?? 0, execID: event.record?.execId ?? "")
    }

    /// Too large a file is a nuisance, not a fault: a failure here is tried again at the next event.
    private mutating func compact() {
        guard let content = try? Files.contents(of: path, limit: 64 << 20) else { return }
        let kept = Self.parse(content).events.suffix(Self.keptAtCompaction)
        let bytes = kept.flatMap(Self.framed)
        guard (try? Files.replace(path, with: bytes, durably: false)) != nil,
            let reopened = try? Files.open(path, .readWrite)
        else { return }
        file = reopened
        size = Int64(bytes.count)
        seen = Set(kept.map(Self.key))
    }
}
