// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import Suite
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
    /// A reader that is waited for goes on without a word: 2 MiB in this time is 1 GB/s. One that does not is asked for less
    /// and less often.
    private static let firstReaderPauseNanos: Int64 = 2_000_000
    private static let longestReaderPauseNanos: Int64 = 100_000_000

    /// Why output stays in its pipe, and when to try again, in boot time.
    private struct Obstacle {
        enum Kind { case full, reader }

        let kind: Kind
        var retryAt: Int64
    }

    private let directory: SpoolDirectory
    private let limits: SpoolLimits
    private let faults: FaultPoints
    private var writer: SpoolWriter?
    private let sink: SharedDescriptor?
    /// What the disk has no room for goes nowhere, and is counted.
    let dropsWhenFull: Bool
    /// Since it was last asked for.
    private var droppedBytes: UInt64 = 0
    /// Gives room where the container has ended, and with it all that could still be told of it.
    private let reserve: DiskReserve?
    private var drawsOnReserve = false
    private var obstacle: Obstacle?
    /// Of the next wait for a reader.
    private var readerPauseNanos = firstReaderPauseNanos
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
        reserve: DiskReserve?,
        faults: FaultPoints
    ) throws(SystemError) {
        self.directory = SpoolDirectory(path: directory)
        self.limits = limits
        self.faults = faults
        self.dropsWhenFull = dropsWhenFull
        self.expectsReader = expectsReader
        self.reserve = reserve
        sink = discards ? SharedDescriptor(try Files.open("/dev/null", .writeOnly)) : nil
    }

    /// The disk has no room.
    var isBlocked: Bool { obstacle?.kind == .full }

    /// Whether it makes sense to look for output.
    var takesOutput: Bool { obstacle == nil || (isBlocked && dropsWhenFull) }

    /// When to try again, in boot time, while something keeps output in its pipe.
    var retryAt: Int64? { obstacle?.retryAt }

    /// The next run is none that anybody waits to see from its first byte.
    func expectNobody() {
        expectsReader = false
        writer?.expectNobody()
    }

    /// Runs `body`, whose calls of `move` try whatever has kept them from that, and have of the reserve what they need.
    func withReserve(_ body: () -> Void) {
        drawsOnReserve = true
        obstacle?.retryAt = 0
        body()
        drawsOnReserve = false
    }

    /// All sources were tried again: what none of them has met again is no obstacle any more. Where output is dropped, only
    /// some that is stored tells of room.
    func endRetry() {
        guard let obstacle, obstacle.retryAt <= Clock.bootNanos else { return }
        self.obstacle =
            isBlocked && dropsWhenFull
            ? Obstacle(kind: .full, retryAt: Clock.bootNanos + Self.retryNanos) : nil
    }

    /// Moves at most a bounded amount.
    /// - Parameter isEnding: The container has ended, and little is left: nothing waits for a slow reader, and what he still
    ///   wants is kept.
    func move(_ source: OutputSource, hungUp: Bool, isEnding: Bool) -> Progress {
        if let obstacle, Clock.bootNanos < obstacle.retryAt {
            return isBlocked && dropsWhenFull ? drop(source, hungUp) : .blocked
        }
        var moved = 0
        do throws(SystemError) {
            while moved < OutputSource.bytesAtOnce {
                guard source.lookForBytes(hungUp: hungUp) > 0 else { break }
                let count = try transfer(source, isEnding)
                guard count > 0 else { break }
                moved += count
                // Known only now: a source without output says nothing about the disk.
                obstacle = nil
                readerPauseNanos = Self.firstReaderPauseNanos
            }
        } catch  where error.name == "EAGAIN" {
            // Somebody took it first: nothing of ours.
        } catch {
            // ENOSPC, EDQUOT, EIO, EROFS: the bytes stay in the pipe until this works.
            if !isBlocked { KeeperLog.line("output is not stored: \(error)") }
            obstacle = Obstacle(kind: .full, retryAt: Clock.bootNanos + Self.retryNanos)
            return dropsWhenFull ? drop(source, hungUp) : .blocked
        }
        guard moved > 0 else {
            return obstacle.map { $0.retryAt > Clock.bootNanos } ?? false ? .blocked : .nothing
        }
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
        guard drawsOnReserve, let reserve else { return try transferOnce(source, isEnding) }
        return try reserve.makingRoom(for: .record) { () throws(SystemError) in
            try transferOnce(source, isEnding)
        }
    }

    private func transferOnce(_ source: OutputSource, _ isEnding: Bool) throws(SystemError) -> Int {
        if let sink {
            return try Splice.move(from: source.pipe.raw, to: sink.raw, count: OutputSource.bytesAtOnce)
        }
        if writer == nil {
            writer = try SpoolWriter(directory: directory, limits: limits, expectsReader: expectsReader)
        }
        guard let data = writer?.data else { return 0 }
        let room = try DiskSpace.room(around: data)
        let headroom = drawsOnReserve ? 0 : Self.headroom(total: room.totalBytes)
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
            obstacle = Obstacle(kind: .reader, retryAt: Clock.bootNanos + readerPauseNanos)
            readerPauseNanos = min(readerPauseNanos * 2, Self.longestReaderPauseNanos)
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
