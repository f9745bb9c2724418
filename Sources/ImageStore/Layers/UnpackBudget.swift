// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import Tar

/// Bounds for an image, so that it cannot exhaust this machine.
package struct UnpackLimits: Hashable, Sendable {
    package var entries = 4_000_000
    /// Directories above an entry.
    package var depth = 1_000
    /// What is remembered of one layer's directories until its end, in bytes.
    package var nameBytes = 128 << 20
    /// Of the uncompressed streams.
    package var bytes: Int64 = 256 << 30
    /// Uncompressed to compressed; looked at beyond 1 GiB of output.
    package var ratio: Int64 = 300

    package init() {}
}

/// What an image has used of its limits: one for all its layers, whatever their number, and several may be unpacked at a
/// time.
package final class UnpackBudget: Sendable {
    private static let freeBytes: Int64 = 1 << 30

    private struct Used {
        var entries = 0
        var bytes: Int64 = 0
        var compressedBytes: Int64 = 0
    }

    package let limits: UnpackLimits
    private let used = Mutex(Used())

    package init(_ limits: UnpackLimits = UnpackLimits()) { self.limits = limits }

    func countEntry() throws(ArchiveError) {
        let count = used.withLock { used in
            used.entries += 1
            return used.entries
        }
        guard count <= limits.entries else { throw .limit(.entries(limits.entries)) }
    }

    /// - Parameter compressed: What was read to get the `expanded` bytes.
    func count(expanded: Int64, compressed: Int64) throws(ArchiveError) {
        let now = used.withLock { used in
            used.bytes += expanded
            used.compressedBytes += compressed
            return used
        }
        guard now.bytes <= limits.bytes else { throw .limit(.bytes(limits.bytes)) }
        if now.bytes > Self.freeBytes, now.bytes / max(1, now.compressedBytes) > limits.ratio {
            throw .limit(.ratio(limits.ratio))
        }
    }
}

/// Ends a stream that grows beyond the limits.
package final class BoundedSource: ByteSource {
    private let source: any ByteSource
    private let origin: HashingSource
    private let budget: UnpackBudget
    private var counted: Int64 = 0

    /// - Parameter origin: The compressed stream that `source` comes from.
    package init(_ source: any ByteSource, of origin: HashingSource, budget: UnpackBudget) {
        self.source = source
        self.origin = origin
        self.budget = budget
    }

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        let chunk = try source.next()
        try budget.count(expanded: Int64(chunk.count), compressed: origin.count - counted)
        counted = origin.count
        return chunk
    }
}
