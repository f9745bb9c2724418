// SPDX-License-Identifier: Apache-2.0
package import System

/// `ROOT/reserve`: disk space to give back, a piece at a time, when there is none left; so that what ended can be recorded,
/// and deleting always works.
///
/// Pieces and not the whole: whoever has filled the disk may still write, and takes what it can. They double while that
/// happens, until one is larger than what is written in the time of the small writing that it is for.
package struct DiskReserve: Sendable {
    /// What room is needed for.
    package enum Purpose: Sendable {
        /// Something that has happened is to be recorded.
        case record
        /// Something is to be removed: gives what was kept for this alone, too.
        case removal
    }

    /// 16 MiB, or a quarter of what is free where that is less.
    package static let limitBytes: Int64 = 16 << 20
    private static let firstPieceBytes: Int64 = 64 << 10
    /// The last 4 MiB, or a sixty-fourth of a small disk, are for removals.
    private static let keptForRemovalBytes: Int64 = 4 << 20
    private static let keptShareOfDisk: Int64 = 64

    package let path: String

    /// - Parameter path: The file's; its directory exists.
    package init(path: String) { self.path = path }

    /// Takes again what was given back, where there is room.
    ///
    /// A quarter of what is free and reserved together is the most, so that repeating it takes no more and no more.
    package func keep() {
        let size = sizeBytes ?? 0
        guard size < Self.limitBytes, let free = try? DiskSpace.freeBytes(at: Files.parentPath(of: path))
        else { return }
        let wanted = min(Self.limitBytes, (Int64(clamping: free) + size) / 4)
        guard wanted > size else { return }
        do {
            let file = try Files.open(path, [.writeOnly, .create], mode: 0o600)
            // Somebody gives of it just now.
            guard try FileLocks.tryLock(file.raw), try Files.size(of: file.raw) == size else { return }
            do throws(SystemError) { try DiskSpace.allocate(file.raw, size: wanted) } catch {
                // It may have got a part of it.
                try Files.truncate(file.raw, toBytes: size)
            }
        } catch {
            // There is no reserve then; what is running does not depend on it.
        }
    }

    /// The pieces for one attempt at writing something.
    package func pieces(for purpose: Purpose) -> Pieces { Pieces(reserve: self, purpose: purpose) }

    /// What one writer is given, until its writing succeeds or nothing is left.
    package struct Pieces: Sendable {
        fileprivate let reserve: DiskReserve
        fileprivate let purpose: Purpose
        private var bytes = DiskReserve.firstPieceBytes
        /// More pieces than it takes to give everything.
        private var left = 16

        fileprivate init(reserve: DiskReserve, purpose: Purpose) {
            self.reserve = reserve
            self.purpose = purpose
        }

        /// Gives the next piece back to the disk, twice as large as the one before.
        /// - Returns: Whether there was one; then it is worth trying again.
        package mutating func giveNext() -> Bool {
            guard left > 0 else { return false }
            left -= 1
            defer { bytes *= 2 }
            return reserve.give(bytes, keeping: purpose == .removal ? 0 : reserve.keptBytes)
        }
    }

    /// Runs what writes, again and again while the disk is full and there is something to give.
    /// - Parameter isFull: Whether an error says that the disk was full.
    package func makingRoom<Value, Failure: Error>(
        for purpose: Purpose,
        isFull: (Failure) -> Bool,
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        var pieces = pieces(for: purpose)
        while true {
            do throws(Failure) { return try body() } catch {
                guard isFull(error), pieces.giveNext() else { throw error }
            }
        }
    }

    private var sizeBytes: Int64? { (try? Files.status(of: path))?.sizeBytes }

    private var keptBytes: Int64 {
        let disk = (try? DiskSpace.totalBytes(at: Files.parentPath(of: path))) ?? 0
        return min(Self.keptForRemovalBytes, Int64(clamping: disk) / Self.keptShareOfDisk)
    }

    private func give(_ bytes: Int64, keeping kept: Int64) -> Bool {
        guard let file = try? Files.open(path, .writeOnly) else { return false }
        // Of two who give at once none is to undo what the other did; what the other gives is there for this one, too.
        guard (try? FileLocks.tryLock(file.raw)) == true else { return true }
        guard let size = try? Files.size(of: file.raw), size > kept else { return false }
        return (try? Files.truncate(file.raw, toBytes: max(kept, size - bytes))) != nil
    }
}

extension DiskReserve {
    /// The same for writing that fails with the system's own errors.
    package func makingRoom<Value>(
        for purpose: Purpose,
        _ body: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        try makingRoom(for: purpose, isFull: { (error: SystemError) in error.isOutOfSpace }, body)
    }
}

extension SuiteLocation {
    package var reserve: DiskReserve { DiskReserve(path: root + "/reserve") }
}
