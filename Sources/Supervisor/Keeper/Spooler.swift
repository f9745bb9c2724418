// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import System

/// Moves the container's output into its spool, and says when the disk has no room for it.
///
/// Owns the spool's writer. The last part of a disk is left to records: a full spool must not keep an exit from being
/// recorded.
final class Spooler {
    enum Progress {
        case moved, nothing, blocked
    }

    private static let retryNanos: Int64 = 250_000_000
    /// A reader that is waited for goes on without a word: 1 MiB in this time is 200 MB/s.
    private static let readerNanos: Int64 = 5_000_000

    private let directory: SpoolDirectory
    private let limits: SpoolLimits
    private let faults: FaultPoints
    private var writer: SpoolWriter?
    private let sink: SharedDescriptor?
    /// What the disk has no room for goes nowhere, and is counted.
    let dropsWhenFull: Bool
    /// Since it was last asked for.
    private var droppedBytes: UInt64 = 0
    /// Why output stays in its pipe.
    private enum Obstacle { case full, reader }
    private var obstacle: Obstacle?
    /// When to try again, in boot time, while there is an obstacle.
    private(set) var retryAt: Int64?
    /// Whoever has started the container wants its output from the first byte on, and has not come yet.
    private var expectsReader: Bool

    /// - Parameters:
    ///   - discards: Output goes nowhere.
    ///   - expectsReader: Until `expectNobody`, a first reader is waited for before any of it is deleted.
    init(
        directory: String,
        limits: SpoolLimits,
        discards: Bool,
        dropsWhenFull: Bool,
        expectsReader: Bool,
        faults: FaultPoints
    ) throws(SystemError) {
        self.directory = SpoolDirectory(path: directory)
        self.limits = limits
        self.faults = faults
        self.dropsWhenFull = dropsWhenFull
        self.expectsReader = expectsReader
        sink = discards ? SharedDescriptor(try Files.open("/dev/null", .writeOnly)) : nil
    }

    /// The disk has no room.
    var isBlocked: Bool { obstacle == .full }

    /// Whether it makes sense to look for output.
    var takesOutput: Bool { obstacle == nil || (obstacle == .full && dropsWhenFull) }

    /// The next run is none that anybody waits to see from its first byte.
    func expectNobody() {
        expectsReader = false
        writer?.expectNobody()
    }

    /// Moves at most a bounded amount.
    /// - Parameter isEnding: The container has ended, and little is left: nothing waits for a slow reader, and what he still
    ///   wants is kept.
    func move(_ source: OutputSource, hungUp: Bool, isEnding: Bool) -> Progress {
        let wasBlocked = isBlocked
        if let retryAt, Clock.bootNanos < retryAt {
            return isBlocked && dropsWhenFull ? drop(source, hungUp) : .blocked
        }
        (retryAt, obstacle) = (nil, nil)
        var moved = 0
        do throws(SystemError) {
            while moved < OutputSource.bytesAtOnce {
                guard source.lookForBytes(hungUp: hungUp) > 0 else { break }
                let count = try transfer(source, isEnding)
                if count == 0 { break }
                moved += count
            }
        } catch  where error.name == "EAGAIN" {
            // Somebody took it first: nothing of ours.
        } catch {
            // ENOSPC, EDQUOT, EIO, EROFS: the bytes stay in the pipe until this works.
            if !wasBlocked { KeeperLog.line("output is not stored: \(error)") }
            (obstacle, retryAt) = (.full, Clock.bootNanos + Self.retryNanos)
            return dropsWhenFull ? drop(source, hungUp) : .blocked
        }
        guard moved > 0 else { return obstacle == nil ? .nothing : .blocked }
        source.noteMoved(moved)
        return .moved
    }

    /// The count of what was dropped, which begins again from 0.
    func takeDroppedBytes() -> UInt64 {
        defer { droppedBytes = 0 }
        return droppedBytes
    }

    private func drop(_ source: OutputSource, _ hungUp: Bool) -> Progress {
        guard source.lookForBytes(hungUp: hungUp) > 0,
            let null = try? Files.open("/dev/null", .writeOnly),
            let count = try? Splice.move(from: source.pipe.raw, to: null.raw, count: OutputSource.bytesAtOnce)
        else { return .nothing }
        droppedBytes += UInt64(count)
        return count > 0 ? .moved : .nothing
    }

    private func transfer(_ source: OutputSource, _ isEnding: Bool) throws(SystemError) -> Int {
        if let sink {
            return try Splice.move(from: source.pipe.raw, to: sink.raw, count: OutputSource.bytesAtOnce)
        }
        if writer == nil {
            writer = try SpoolWriter(directory: directory, limits: limits, expectsReader: expectsReader)
        }
        guard let data = writer?.data else { return 0 }
        let room = try DiskSpace.room(around: data)
        let headroom = Self.headroom(total: room.totalBytes)
        guard room.freeBytes > headroom else {
            throw SystemError("splice", path: directory.path, code: KeeperError.noSpace)
        }
        let spare = Int(clamping: room.freeBytes - headroom)
        guard let limit = try writer?.begin(source.stream, wallNanos: Clock.wallNanos, waits: !isEnding),
            let place = writer?.end,
            // The record may be the first of a new segment.
            let data = writer?.data
        else { return 0 }
        guard limit > 0 else {
            (obstacle, retryAt) = (.reader, Clock.bootNanos + Self.readerNanos)
            return 0
        }
        faults.reach("keeper.output.indexed")
        let moved = try Splice.move(
            from: source.pipe.raw,
            to: data,
            offset: place,
            count: min(limit, spare, OutputSource.bytesAtOnce)
        )
        writer?.advance(by: moved)
        faults.reach("keeper.output.spliced")
        return moved
    }

    /// What output leaves free: 4 MiB, on small disks a sixteenth; whole blocks of 4 KiB, so that what is spare is not used
    /// up byte by byte.
    private static func headroom(total: UInt64) -> UInt64 { min(4 << 20, total / 16 / 4096 * 4096) }
}
