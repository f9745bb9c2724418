// SPDX-License-Identifier: Apache-2.0
package import System

/// Bytes that come in one direction, in chunks as they are at hand.
///
/// Blocking; used by one thread at a time. Sources are stacked: a file or a download, a hash, an inflater, a hash, a tar
/// reader; no layer of the stack copies what it passes on.
package protocol ByteSource: AnyObject {
    /// The next bytes, valid until the next call; empty at the end, and again after it.
    func next() throws(LayerError) -> UnsafeRawBufferPointer
}

/// An open file from where it stands.
package final class FileSource: ByteSource {
    private let file: Descriptor
    private let buffer: UnsafeMutableRawBufferPointer
    private let shouldStop: @Sendable () -> Bool

    /// - Parameter shouldStop: Asked before each chunk; true ends the reading with `.cancelled`.
    package init(
        _ file: consuming Descriptor,
        chunkBytes: Int = 256 << 10,
        shouldStop: @escaping @Sendable () -> Bool = { false }
    ) {
        self.file = file
        self.shouldStop = shouldStop
        buffer = .allocate(byteCount: chunkBytes, alignment: 64)
    }

    deinit { buffer.deallocate() }

    package func next() throws(LayerError) -> UnsafeRawBufferPointer {
        if shouldStop() { throw .cancelled }
        do throws(SystemError) {
            let count = try Files.read(file.raw, into: buffer)
            return UnsafeRawBufferPointer(rebasing: buffer[..<count])
        } catch {
            throw .source(error)
        }
    }
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

    package func next() throws(LayerError) -> UnsafeRawBufferPointer {
        let end = min(bytes.count, position + chunkBytes)
        defer { position = end }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }
}

/// Puts bytes that were already taken from a source in front of it again.
final class PrefixedSource: ByteSource {
    private let prefix: MemorySource
    private let rest: any ByteSource
    private var isPrefixDone = false

    init(_ prefix: [UInt8], _ rest: any ByteSource) {
        self.prefix = MemorySource(prefix, chunkBytes: max(1, prefix.count))
        self.rest = rest
    }

    func next() throws(LayerError) -> UnsafeRawBufferPointer {
        if !isPrefixDone {
            let chunk = try prefix.next()
            if !chunk.isEmpty { return chunk }
            isPrefixDone = true
        }
        return try rest.next()
    }
}
