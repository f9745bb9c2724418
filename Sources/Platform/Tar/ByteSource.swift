// SPDX-License-Identifier: Apache-2.0

/// Bytes that come in one direction, in chunks as they are at hand.
///
/// Blocking; used by one thread at a time. Sources are stacked: a file or a download, a hash, an inflater, a hash, a tar
/// reader; no layer of the stack copies what it passes on.
package protocol ByteSource: AnyObject {
    /// The next bytes, valid until the next call; empty at the end, and again after it.
    func next() throws(ArchiveError) -> UnsafeRawBufferPointer
}

/// Bytes in memory, in chunks of a given size.
package final class MemorySource: ByteSource {
    private let bytes: UnsafeMutableRawBufferPointer
    private let chunkBytes: Int
    private var position = 0

    package init(_ bytes: [UInt8], chunkBytes: Int = 64 << 10) {
        self.bytes = .allocate(byteCount: bytes.count, alignment: 64)
        self.bytes.copyBytes(from: bytes)
        self.chunkBytes = chunkBytes
    }

    deinit { bytes.deallocate() }

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        let end = min(bytes.count, position + chunkBytes)
        defer { position = end }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }
}

/// Puts bytes that were already taken from a source in front of it again.
package final class PrefixedSource: ByteSource {
    private let prefix: MemorySource
    private let rest: any ByteSource
    private var isPrefixDone = false

    package init(_ prefix: [UInt8], _ rest: any ByteSource) {
        self.prefix = MemorySource(prefix, chunkBytes: max(1, prefix.count))
        self.rest = rest
    }

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        if !isPrefixDone {
            let chunk = try prefix.next()
            if !chunk.isEmpty { return chunk }
            isPrefixDone = true
        }
        return try rest.next()
    }
}
