// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A log that others write (SQLite's), held open so that its bytes can be brought to the disk at any time.
///
/// The kernel tells of a failed writing once to each who has the file open: one that was opened only afterwards, by which
/// somebody else had been told, would not hear of it.
package final class SyncedFile: Sendable {
    private let file: Descriptor
    private static let pieceBytes = 64 << 10

    /// - Parameter bytes: It is made so long, with zeros behind what is in it, if the disk has room for that: what is written there
    ///   finds room later on a full disk, and is on the disk with its bytes alone, for nothing of the file changes but these.
    /// - Throws: when there is no such file, or it cannot be opened.
    package init(_ path: String, filledTo bytes: Int64) throws(SystemError) {
        file = try Files.open(path, .readWrite)
        let size = try Files.size(of: file.raw)
        // A disk without room for it keeps what it has.
        do throws(SystemError) { try fill(from: size, to: bytes) } catch {
            try Files.truncate(file.raw, toBytes: size)
        }
    }

    private func fill(from size: Int64, to bytes: Int64) throws(SystemError) {
        var end = size
        guard end < bytes else { return }
        while end < bytes {
            let piece = Int(min(bytes - end, Int64(Self.pieceBytes)))
            try Files.write(file.raw, [UInt8](repeating: 0, count: piece), offset: end)
            end += Int64(piece)
        }
        try sync()
    }

    /// fdatasync(2): what was written before is on the disk, with what is needed to read it. Blocks.
    package func sync() throws(SystemError) {
        guard fdatasync(file.raw) == 0 else { throw SystemError("fdatasync", code: errno) }
    }
}
