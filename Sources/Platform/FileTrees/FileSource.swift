// SPDX-License-Identifier: Apache-2.0
package import System
package import Tar

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

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        if shouldStop() { throw .cancelled }
        do throws(SystemError) {
            let count = try Files.read(file.raw, into: buffer)
            return UnsafeRawBufferPointer(rebasing: buffer[..<count])
        } catch {
            throw .source(error)
        }
    }
}
