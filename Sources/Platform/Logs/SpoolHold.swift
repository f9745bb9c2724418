// SPDX-License-Identifier: Apache-2.0
package import System

/// A reader's word to the spool's writer that it wants every byte from a segment on: the writer waits rather than delete it.
///
/// Owns an empty, locked file `held/KEY.SEGMENT` in the spool's directory. The lock ends with the process, the file with this
/// value; one without a lock counts for a while longer (`SpoolHolds`), until another process takes the reading up.
package struct SpoolHold: ~Copyable {
    private static let keyBytes = 8
    /// How long the hold of a process that has ended counts: its reader may be waiting for whoever reads what he writes.
    package static let patience = Duration.seconds(60)
    /// Who only looks whether a hold is locked has its lock for a moment.
    private static let attempts = 3

    private let file: Descriptor
    private let directory: String
    private let key: String
    /// No byte of it, or of later ones, is deleted.
    package private(set) var segment: UInt64
    private var isLeft = false

    package static func begin(
        in directory: SpoolDirectory,
        from segment: UInt64
    ) throws(SystemError) -> SpoolHold {
        try directory.make()
        try SpoolDirectory.make(directory.holdsPath)
        let key = try SystemEnvironment.randomHexadecimal(bytes: Self.keyBytes)
        let held = HeldSegment(key: key, segment: segment)
        let path = held.path(in: directory.holdsPath)
        let file = try Files.open(path, [.writeOnly, .create, .exclusive], mode: 0o600)
        let hold = SpoolHold(file, held, in: directory)
        // Nobody else wants the lock of a new file but for a moment; then it is waited for.
        try FileLocks.lock(hold.file.raw)
        return hold
    }

    private init(_ file: consuming Descriptor, _ held: HeldSegment, in directory: SpoolDirectory) {
        self.file = file
        self.directory = directory.holdsPath
        self.key = held.key
        self.segment = held.segment
    }

    /// Whether there is one of a process that has ended, and nobody has gone on for it.
    package static func isLeft(in directory: SpoolDirectory) -> Bool {
        HeldSegment.all(in: directory.holdsPath).contains { held in
            guard let file = try? Files.open(held.path(in: directory.holdsPath), .writeOnly) else {
                return false
            }
            return held.isUnlocked(file.raw)
        }
    }

    /// Goes on for a reader whose process has ended, with the hold that it left at `segment` or shortly before.
    /// - Returns: nil when there is none.
    package static func takeUp(in directory: SpoolDirectory, at segment: UInt64) -> SpoolHold? {
        let left = HeldSegment.all(in: directory.holdsPath).filter { $0.segment <= segment }
        for attempt in 0..<attempts where !left.isEmpty {
            if attempt > 0 { Clock.sleep(nanos: 1_000_000) }
            for held in left.sorted(by: { $0.segment > $1.segment }) {
                let path = held.path(in: directory.holdsPath)
                guard let file = try? Files.open(path, .writeOnly),
                    (try? FileLocks.tryLock(file.raw)) == true,
                    // Neither moved nor removed before it was locked.
                    Files.exists(path)
                else { continue }
                return SpoolHold(file, held, in: directory)
            }
        }
        return nil
    }

    /// The file stays behind, for whoever goes on for this reader.
    package mutating func leave() { isLeft = true }

    /// Lets go of what is before `segment`; an earlier one than the present is no news.
    package mutating func move(to segment: UInt64) throws(SystemError) {
        guard segment > self.segment else { return }
        try Files.rename(path, to: HeldSegment(key: key, segment: segment).path(in: directory))
        self.segment = segment
    }

    private var path: String { HeldSegment(key: key, segment: segment).path(in: directory) }

    deinit { if !isLeft { try? Files.unlink(path) } }
}

/// What the name of a hold's file says.
private struct HeldSegment {
    /// Of the files that are looked at.
    private static let limit = 1000

    let key: String
    let segment: UInt64

    init(key: String, segment: UInt64) {
        self.key = key
        self.segment = segment
    }

    init?(name: String) {
        guard let dot = name.lastIndex(of: "."), let segment = UInt64(name[name.index(after: dot)...])
        else { return nil }
        self.init(key: String(name[..<dot]), segment: segment)
    }

    static func all(in directory: String) -> [HeldSegment] {
        guard Files.exists(directory), let names = try? Files.names(in: directory) else { return [] }
        return names.prefix(limit).compactMap(HeldSegment.init(name:))
    }

    func path(in directory: String) -> String { "\(directory)/\(key).\(segment)" }

    /// Whether its process has ended, also while somebody else looks.
    func isUnlocked(_ file: Int32) -> Bool { (try? FileLocks.trySharedLock(file)) ?? true }
}

/// The holds on a spool, as its writer sees them.
struct SpoolHolds {
    private static let patienceNanos = Int64(SpoolHold.patience / .nanoseconds(1))
    /// How long a first reader may take to come.
    private static let firstReaderNanos: Int64 = 10_000_000_000

    private let directory: String
    /// Holds that nobody has locked, by key: since when, in boot time.
    private var abandoned: [String: Int64] = [:]
    /// Until when a first reader is waited for, in boot time; nil: none is expected.
    private var expectedUntil: Int64?

    /// - Parameter expectsReader: Somebody will want all from the first byte on, and is waited for from now on.
    init(_ directory: SpoolDirectory, expectsReader: Bool, nowBootNanos now: Int64) {
        self.directory = directory.holdsPath
        expectedUntil = expectsReader ? now + Self.firstReaderNanos : nil
    }

    /// The first segment that may not be deleted; nil: all may.
    mutating func first(nowBootNanos now: Int64) -> UInt64? {
        let all = HeldSegment.all(in: directory)
        if !all.isEmpty { expectedUntil = nil }
        abandoned = abandoned.filter { key, _ in all.contains { $0.key == key } }
        return all.filter { isValid($0, now) }.map(\.segment).min() ?? firstReader(now)
    }

    /// Nobody is waited for any more who has not come.
    mutating func expectNobody() { expectedUntil = nil }

    private func firstReader(_ now: Int64) -> UInt64? { (expectedUntil ?? 0) > now ? 0 : nil }

    private mutating func isValid(_ held: HeldSegment, _ now: Int64) -> Bool {
        let path = held.path(in: directory)
        // Not there any more: it has just moved, and is seen so next time.
        guard let file = try? Files.open(path, .writeOnly) else { return true }
        if !held.isUnlocked(file.raw) {
            abandoned[held.key] = nil
            return true
        }
        let since = abandoned[held.key] ?? now
        abandoned[held.key] = since
        if now - since < Self.patienceNanos { return true }
        try? Files.unlink(path)
        return false
    }
}
