// SPDX-License-Identifier: Apache-2.0
package import System

/// A container's output on disk: numbered segments from 1, never renamed; `N.data` holds the raw bytes of both streams
/// in the order in which they came, `N.index` says which is which, and when.
///
/// Only the segment with the highest number is written to. One without its data file does not exist.
package struct SpoolDirectory: Hashable, Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    package func dataPath(_ segment: UInt64) -> String { "\(path)/\(segment).data" }

    package func indexPath(_ segment: UInt64) -> String { "\(path)/\(segment).index" }

    /// Where readers say what they still want (`SpoolHold`).
    var holdsPath: String { path + "/held" }

    /// Numbers of the segments that are there, ascending. Empty when there is no such directory yet.
    package func segments() throws(SystemError) -> [UInt64] {
        try numbers(suffix: ".data")
    }

    /// Where the output ends at this moment; the start when there is none yet.
    package func end() throws(SystemError) -> LogPosition {
        while let last = try segments().last {
            do {
                let data = try Files.open(dataPath(last), .readOnly)
                return LogPosition(segment: last, offset: UInt64(try Files.size(of: data.raw)))
            } catch  where error.name == "ENOENT" {
                // Outrun by deletion between the listing and now: a later one is there, or the spool is gone.
                continue
            }
        }
        return .start
    }

    /// Indexes left by a deletion that was cut short.
    func orphanedIndexes() throws(SystemError) -> [UInt64] {
        let present = Set(try segments())
        return try numbers(suffix: ".index").filter { !present.contains($0) }
    }

    /// Makes it if it is missing. Not what is above it: a container that was removed a moment ago is not to come back.
    package func make() throws(SystemError) { try Self.make(path) }

    static func make(_ path: String) throws(SystemError) {
        do throws(SystemError) { try Files.makeDirectory(path, mode: 0o700) } catch {
            guard error.code == ErrorNumber.exists else { throw error }
        }
    }

    private func numbers(suffix: String) throws(SystemError) -> [UInt64] {
        guard Files.exists(path) else { return [] }
        return try Files.names(in: path)
            .compactMap { $0.hasSuffix(suffix) ? UInt64($0.dropLast(suffix.count)) : nil }
            .sorted()
    }
}

/// How much of a container's output is kept.
package struct SpoolLimits: Hashable, Sendable {
    /// What is kept of an output for which nothing else was asked: 5 segments of 64 MiB, 320 MiB in all.
    package static let standard = SpoolLimits(segmentBytes: 64 << 20, segments: 5)

    /// Also the largest size of its index; a segment that reaches either is closed and the next one begun.
    package let segmentBytes: UInt64
    /// Then the oldest is deleted.
    package let segments: Int

    /// As many there may be before a reader who holds the oldest is waited for: what is under way to him has room in them.
    package let heldSegments: Int
    /// More than is on its way to a reader who has not said yet that he has received it.
    package static let heldBytes: UInt64 = 4 << 20

    /// Zero is the one of `standard`. The smallest segment is 4 KiB, and there are at least two.
    package init(segmentBytes: UInt64 = 0, segments: Int = 0, heldBytes: UInt64 = SpoolLimits.heldBytes) {
        self.segmentBytes = segmentBytes == 0 ? Self.standard.segmentBytes : max(segmentBytes, 4096)
        self.segments = segments == 0 ? Self.standard.segments : max(segments, 2)
        heldSegments = max(self.segments, Int(clamping: heldBytes / self.segmentBytes))
    }
}
